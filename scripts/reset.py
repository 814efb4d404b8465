"""make reset: delete all data of this copy, and start afresh with an empty platform."""

from scripts import platform, trouble
from scripts.place import Place
from scripts.servers import containers
from scripts.table import show
from scripts.telling import step
from scripts.trouble import Trouble


def main() -> None:
    place = Place.of_project()
    with place.locked():
        delete(place)
        place.remember(empty=True)
        platform.bring_up(place, sample=False)
    show(place)


def delete(place: Place) -> None:
    """Everything this copy keeps; servers that it did not start are left to whoever did."""
    way = place.read().get("servers", {}).get("way")
    if way == "urls":
        raise Trouble(
            "Reset deletes no data of servers it did not start: drop the databases tandem_* yourself."
        )
    with step("Deleting all data"):
        platform.bring_down(place)
        if way == "containers":
            containers.delete(place)
        place.delete()


if __name__ == "__main__":
    trouble.run(main)
