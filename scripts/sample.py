"""make sample: load the sample practice into the running platform, as after a reset."""

from scripts import platform, trouble
from scripts.place import Place
from scripts.table import show


def main() -> None:
    place = Place.of_project()
    with place.locked():
        platform.bring_up(place, sample=True)
        place.remember(empty=False)
    show(place)


if __name__ == "__main__":
    trouble.run(main)
