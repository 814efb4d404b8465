"""Which tests of a parallel run go to one worker together: those that share what takes seconds to start."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/journeys/test_own_users.py": "own users",
    "tests/journeys/": "journeys",
    "tests/shared/web/test_server.py": "server",
    "tests/deploy/test_compose.py": "images",
    "tests/deploy/test_images.py": "images",
    "tests/faults/test_points.py": "faults: kills",
    "tests/faults/test_kills.py": "faults: kills",
    "tests/faults/test_broker.py": "faults: servers",
    "tests/faults/test_mongo.py": "faults: servers",
    "tests/faults/": "faults: made up",
}


class Dealing(LoadScopeScheduling):  # type: ignore[misc]
    """The largest group first, then every other test by itself to whoever is free.

    Not --dist loadgroup, whose marks pytest 9.2 makes it overlook (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((group for place, group in TOGETHER.items() if nodeid.startswith(place)), nodeid)
