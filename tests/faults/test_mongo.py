"""MongoDB killed and frozen under load."""

import time

from tests.faults.judge import Row, judge
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.platform import Platform
from tests.faults.servers import Mongo

FROZEN = 25.0


def test_mongodb_is_killed_and_restarted(platform: Platform, mongo: Mongo, ledger: Ledger, row: Row) -> None:
    row.times = 2
    with Load(platform, "mongokilled", ledger) as load:
        for _ in range(row.times):
            time.sleep(2.0)
            mongo.kill()
            time.sleep(2.0)
            mongo.start()

        judge(platform, load, row)


def test_mongodb_is_frozen(platform: Platform, mongo: Mongo, ledger: Ledger, row: Row) -> None:
    """Longer than any deadline of a caller, a heartbeat or a lease."""
    with Load(platform, "mongofrozen", ledger) as load:
        time.sleep(2.0)
        mongo.freeze()
        time.sleep(FROZEN)
        mongo.thaw()

        judge(platform, load, row)
