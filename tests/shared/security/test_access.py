"""What a service keeps of who works where: registers, so that the order of arrival does not matter."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from shared.clock import now
from shared.messaging.subscriber import Subscriber
from shared.security import access
from shared.store.indexes import prepare
from shared.store.records import Records
from tests import hearing

AT = now()
ROLES = {"roles": ["clinician"], "supervises": [], "display_name": "C", "language": "en", "timezone": "UTC"}
COVER = {
    "cover_id": "v1",
    "member_id": "m1",
    "covered_by": "m2",
    "since": AT,
    "until": AT + timedelta(days=1),
}


class Follower:
    """A service that only follows who may see whom."""

    subscriber = Subscriber("follower")
    collections = access.COLLECTIONS


access.follow(Follower.subscriber)


def said(type: str, sequence: int, **data: Any) -> bytes:
    return hearing.message(type, "practices", data, sequence=sequence)


def of_member(type: str, sequence: int, **more: Any) -> bytes:
    return said(f"member.{type}", sequence, member_id="m1", **more)


@pytest.fixture
def kept(database: Any) -> Any:
    """The one record of a collection after these messages."""
    prepare(database, Follower.collections)

    def kept(collection: str, *messages: bytes) -> dict[str, Any]:
        database[collection].delete_many({})
        hearing.hear(Follower, database, *messages)
        (found,) = Records(database[collection], "active").among("p", ["m1", "v1", "e1"]).values()
        return found

    return kept


def test_somebody_invited_is_known_and_not_active(kept: Any) -> None:
    member = kept("members", of_member("invited", 1, **ROLES))

    assert (member["roles"], member["supervises"], member["active"]) == (["clinician"], [], False)


STORY = [
    of_member("invited", 1, **ROLES),
    of_member("joined", 2, **ROLES),
    of_member("changed", 3, **ROLES | {"roles": ["supervisor"], "supervises": ["m2"]}, active=True),
    of_member("suspended", 4),
    of_member("reinstated", 5),
]


def test_the_whole_story_ends_the_same_in_any_order(kept: Any) -> None:
    for order in permutations(STORY):
        member = kept("members", *order)
        assert (member["roles"], member["supervises"], member["active"]) == (["supervisor"], ["m2"], True)


@pytest.mark.parametrize("last", ["suspended", "removed"])
def test_who_joined_late_on_the_wire_stays_out(kept: Any, last: str) -> None:
    joined, changed, gone = STORY[1], STORY[2], of_member(last, 4)

    for order in permutations([joined, changed, gone]):
        assert kept("members", *order)["active"] is False


def test_a_change_of_somebody_suspended_does_not_let_them_in(kept: Any) -> None:
    changed = of_member("changed", 4, **ROLES, active=False)

    assert kept("members", STORY[1], of_member("suspended", 3), changed)["active"] is False


@pytest.mark.parametrize(
    ("events", "active"),
    [(STORY, True), (STORY[:1], False), (STORY[:4], False), ([*STORY[:2], of_member("removed", 3)], False)],
)
def test_a_snapshot_says_what_all_the_events_said(kept: Any, events: list[bytes], active: bool) -> None:
    heard = kept("members", *events)
    about = ROLES | {"roles": heard["roles"], "supervises": heard["supervises"]}

    assert kept("members", of_member("snapshot", 9, **about, active=active, ended={})) == heard


def test_a_member_of_the_first_release_supervises_nobody(kept: Any) -> None:
    first = {name: value for name, value in ROLES.items() if name != "supervises"}

    assert kept("members", of_member("joined", 1, **first))["supervises"] == []


def test_a_cover_is_kept_until_it_is_cancelled_in_any_order(kept: Any) -> None:
    arranged, cancelled = said("cover.arranged", 1, **COVER), said("cover.cancelled", 2, cover_id="v1")

    before = kept("covers", arranged)
    after = [kept("covers", *order) for order in permutations([arranged, cancelled])]

    assert {name: before[name] for name in ("member_id", "covered_by", "active")} == {
        "member_id": "m1",
        "covered_by": "m2",
        "active": True,
    }
    assert after[0] == after[1] == {**before, "active": False}
    assert kept("covers", said("cover.snapshot", 3, **COVER, active=False)) == after[0]


def test_a_transfer_moves_the_episode_in_any_order(kept: Any) -> None:
    ids = {"episode_id": "e1", "client_id": "c1"}
    started = said("episode.started", 1, **ids, clinician_id="m1", started_at=AT)
    moved = said(
        "episode.transferred", 2, **ids, clinician_id="m2", from_clinician_id="m1", transferred_at=AT
    )

    for order in permutations([started, moved]):
        assert kept("episodes", *order)["clinician_id"] == "m2"
