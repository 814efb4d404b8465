"""The usual port where it is free, another where it is not, and none twice."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import ports
from scripts.place import Place
from scripts.trouble import Trouble


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Place(tmp_path / "one")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
    return port


def test_a_port_on_which_somebody_listens_is_not_free(taken: int, free: int) -> None:
    assert not ports.is_free(taken)
    assert ports.is_free(free)


def test_a_port_taken_on_all_addresses_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("", 0))
        server.listen()

        assert not ports.is_free(server.getsockname()[1])


def test_the_usual_port_is_taken_where_it_is_free(place: Place, free: int) -> None:
    assert ports.choose(place, {"mail": free}, {}) == {"mail": free}


def test_another_is_taken_where_the_usual_is_not_free(place: Place, taken: int) -> None:
    chosen = ports.choose(place, {"mail": taken}, {})["mail"]

    assert chosen != taken
    assert ports.is_free(chosen)


def test_the_port_of_last_time_is_kept(place: Place, free: int) -> None:
    place.remember(ports={"mail": free})

    assert ports.choose(place, {"mail": 21_000}, {}) == {"mail": free}


def test_a_port_that_is_held_is_kept_though_it_is_not_free(place: Place, taken: int) -> None:
    place.remember(ports={"mail": taken})

    assert ports.choose(place, {"mail": 21_000}, {}, held={"mail"}) == {"mail": taken}


def test_two_copies_that_choose_at_the_same_time_choose_apart(place: Place, free: int) -> None:
    other = Place(place.path.parent / "other")

    one_port = ports.choose(place, {"mail": free}, {})["mail"]
    other_port = ports.choose(other, {"mail": free}, {})["mail"]

    assert one_port != other_port


@pytest.mark.parametrize(("later", "kept"), [(3_500.0, True), (3_700.0, False)])
def test_a_claim_lasts_for_as_long_as_it_was_made(
    place: Place, free: int, monkeypatch: pytest.MonkeyPatch, later: float, kept: bool
) -> None:
    other, now = Place(place.path.parent / "other"), time.time()
    ports.choose(place, {"mail": free}, {}, claimed_seconds=3_600.0)

    monkeypatch.setattr("time.time", lambda: now + later)

    assert (ports.choose(other, {"mail": free}, {})["mail"] != free) is kept


def test_two_names_never_share_a_port(place: Place, free: int) -> None:
    chosen = ports.choose(place, {"mail": free, "mongo": free, "rabbit": free}, {})

    assert len(set(chosen.values())) == 3


def test_a_port_asked_for_that_is_in_use_is_trouble(place: Place, taken: int) -> None:
    with pytest.raises(Trouble, match=rf"Port {taken} is in use by .* set TANDEM_MAIL_PORT"):
        ports.choose(place, {"mail": 8125}, {"mail": taken})


def test_one_port_asked_for_twice_is_trouble(place: Place, free: int) -> None:
    with pytest.raises(Trouble, match="both ask for port"):
        ports.choose(place, {"mail": 1, "mongo": 2}, {"mail": free, "mongo": free})
