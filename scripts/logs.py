"""make logs: follow all logs of this copy, or those whose names begin with the given words."""

import os
import sys

from scripts import processes, trouble
from scripts.place import Place
from scripts.telling import line
from scripts.trouble import Trouble


def main() -> None:
    place, only = Place.of_project(), tuple(sys.argv[1:])
    logs = sorted(log for log in place.logs.glob("*.log") if not only or log.name.startswith(only))
    if not logs:
        raise Trouble(f"There are no logs {'of ' + ', '.join(only) if only else 'yet'}: run make up first.")
    if not processes.running(place):
        line("The platform is not running; these are its last words.")
        os.execvp("tail", ["tail", "-n", "5", *map(str, logs)])  # noqa: S606, S607
    os.execvp("tail", ["tail", "-n", "5", "-F", *map(str, logs)])  # noqa: S606, S607


if __name__ == "__main__":
    trouble.run(main)
