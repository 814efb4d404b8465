"""MongoDB killed and frozen under load."""

import time

from tests.faults.judge import Row, judge
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.platform import Platform
from tests.faults.servers import Mongo

FROZEN = 25.0


def test_mongodb_is_killed_and_restarted(platform: Platform, mongo: Mongo, ledger: Ledger, row: Row) -> None:
    """Seen to fail when a write is acknowledged before it is in the journal: 14 lost."""
    row.times = 2
    with Load(platform, "mongokilled", ledger) as load:
        for _ in range(row.times):
            time.sleep(2.0)
            mongo.kill()
            try:
                time.sleep(2.0)
            finally:
                mongo.start()

        judge(platform, load, row)


def test_mongodb_is_frozen(platform: Platform, mongo: Mongo, ledger: Ledger, row: Row) -> None:
    """Longer than any deadline of a caller, a heartbeat or a lease.

    Seen to fail when a consumer goes on with what it could not write: 2 lost.
    """
    with Load(platform, "mongofrozen", ledger) as load:
        time.sleep(2.0)
        mongo.freeze()
        try:
            time.sleep(FROZEN)
        finally:
            mongo.thaw()

        judge(platform, load, row)
