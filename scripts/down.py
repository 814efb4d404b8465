"""make down: stop all that `make up` started, and nothing else."""

from scripts import platform, trouble
from scripts.place import Place
from scripts.telling import line, step


def main() -> None:
    place = Place.of_project()
    with place.locked(), step("Stopping"):
        stopped = platform.bring_down(place)
    line(
        f"{stopped} processes stopped; the data stays in {place.path}." if stopped else "Nothing was running."
    )


if __name__ == "__main__":
    trouble.run(main)
