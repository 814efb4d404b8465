"""make up: the platform with its sample practice, and where to go from there."""

from scripts import platform, trouble
from scripts.place import Place
from scripts.table import show


def main() -> None:
    place = Place.of_project()
    with place.locked():
        platform.bring_up(place, sample=not place.read().get("empty", False))
    show(place)


if __name__ == "__main__":
    trouble.run(main)
