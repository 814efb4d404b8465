"""make service: run one command of one service with the settings it has here."""

import os
import sys

from scripts import parts, platform, trouble
from scripts.place import Place
from scripts.trouble import Trouble


def main() -> None:
    place, words = Place.of_project(), sys.argv[1:]
    if not words or words[0] not in parts.services():
        known = ", ".join(parts.services())
        raise Trouble(f"Say which service and what, as in make service CALL='goals parked list', of {known}.")
    platform.require_up(place)
    command = [sys.executable, "-m", f"services.{words[0]}", *words[1:]]
    os.execve(sys.executable, command, parts.environment(place, words[0]))  # noqa: S606


if __name__ == "__main__":
    trouble.run(main)
