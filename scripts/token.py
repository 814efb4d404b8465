"""make token: sign in and print an access token, and nothing else, on standard output."""

import sys

from scripts import platform, trouble
from scripts.place import Place, read_json
from scripts.sign_in import access_token
from scripts.trouble import Trouble


def main() -> None:
    place = Place.of_project()
    if len(sys.argv) != 2:
        known = [person["email"] for person in read_json(place.sample).get("people", [])]
        raise Trouble(f"Say whose: make token WHO={known[0] if known else 'mail@address'}.")
    platform.require_up(place, "practices-web", "practices-worker", "mail")
    sys.stdout.write(access_token(place, sys.argv[1]) + "\n")


if __name__ == "__main__":
    trouble.run(main)
