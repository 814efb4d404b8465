"""goals' web as gunicorn runs a peer: python -m benchmarks.web <workers> <threads> <connections>.

The same server and application as `python -m services.goals web`, which runs one process with eight threads.
"""

import sys

from services.goals.app import service
from shared import logs
from shared.settings import Settings
from shared.web.server import serve

if __name__ == "__main__":
    logs.set_up("goals", "web")
    serve(service, Settings.read("goals"), *map(int, sys.argv[1:]))
