"""python -m tests.faults.toy prepare | worker | parked

TOY_LEASE=always: its relay believes at all times that it holds the lease, as several then do at once.
"""

import os

import shared.service
from tests.faults.toy.app import service


class Always:
    """A lease that says yes to everybody."""

    held = True

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def hold(self) -> bool:
        return True

    def release(self) -> None:
        pass


if os.environ.get("TOY_LEASE") == "always":
    shared.service.Lease = Always  # type: ignore[assignment,misc]

service.run()
