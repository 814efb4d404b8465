"""Which tests of a parallel run go to one worker together: those that share what takes seconds to start."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/journeys/", "tests/shared/web/test_server.py")


class Dealing(LoadScopeScheduling):  # type: ignore[misc]
    """The largest group first, then every other test by itself to whoever is free.

    Not --dist loadgroup, whose marks pytest 9.2 makes it overlook (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((place for place in TOGETHER if nodeid.startswith(place)), nodeid)
