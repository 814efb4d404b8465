"""Refresh tokens: rotated, and the end of a sign-in where one comes again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from services.practices.domain.members import Role
from services.practices.sign_in import SIGNED_IN_FOR, NothingToExchange, SignIn
from services.practices.sign_in.refresh_tokens import GRACE
from services.practices.store.people import Clients
from services.practices.store.sign_in import SignIns
from services.practices.tokens import key_set
from shared.clock import now
from shared.security.tokens import Keys, Verifier
from tests.practices.conftest import killed

SECOND = timedelta(seconds=1)


@pytest.fixture
def sign_in(world):
    return SignIn(world.database, world.settings)


@pytest.fixture
def maya(world):
    return world.client(email="maya@example.org")


def read(world, tokens):
    keys = Keys(lambda: key_set(world.database))
    return Verifier(keys, world.settings.issuer, world.settings.audience).verify(tokens.access_token)


def refused(sign_in, token, at=None):
    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(token, at or now())


def test_a_refresh_token_is_exchanged_for_the_next_of_the_same_sign_in(world, sign_in, maya):
    first = tokens = world.signed_in(maya)

    for _ in range(3):
        tokens = sign_in.by_refresh_token(tokens.refresh_token, now())

    assert read(world, tokens).id == maya.id
    assert read(world, tokens).sign_in_id == read(world, first).sign_in_id


def test_a_lost_answer_costs_nothing(world, sign_in, maya):
    tokens, at = world.signed_in(maya), now()
    lost = sign_in.by_refresh_token(tokens.refresh_token, at)

    again = sign_in.by_refresh_token(tokens.refresh_token, at + GRACE - SECOND)

    assert again.refresh_token == lost.refresh_token
    assert sign_in.by_refresh_token(again.refresh_token, at + GRACE)


def test_tabs_that_refresh_at_once_all_go_on_with_one_token(world, sign_in, maya):
    tokens, at = world.signed_in(maya), now()

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: sign_in.by_refresh_token(tokens.refresh_token, at), range(16)))

    assert len({one.refresh_token for one in given}) == 1
    assert world.database["sign_ins"].find_one()["number"] == 1


def test_grace_is_not_made_longer_by_using_it(world, sign_in, maya):
    tokens, at = world.signed_in(maya), now()
    for late in (0, 20, 29):
        sign_in.by_refresh_token(tokens.refresh_token, at + late * SECOND)

    refused(sign_in, tokens.refresh_token, at + GRACE)


@pytest.mark.parametrize("late", [GRACE, 10 * GRACE])
def test_one_that_comes_again_late_ends_the_sign_in(world, sign_in, maya, late):
    first, at = world.signed_in(maya), now()
    second = sign_in.by_refresh_token(first.refresh_token, at)

    for token in (first.refresh_token, second.refresh_token):
        refused(sign_in, token, at + late)


def test_an_older_one_than_the_last_ends_the_sign_in_at_once(world, sign_in, maya):
    first, at = world.signed_in(maya), now()
    second = sign_in.by_refresh_token(first.refresh_token, at)
    third = sign_in.by_refresh_token(second.refresh_token, at)

    for token in (first.refresh_token, second.refresh_token, third.refresh_token):
        refused(sign_in, token, at)


def test_what_ends_by_it_ends_for_access_tokens_too(world, http, sign_in, maya):
    first, at = world.signed_in(maya), now()
    second = sign_in.by_refresh_token(first.refresh_token, at)
    bearer = {"Authorization": f"Bearer {second.access_token}"}
    before = http.get("/v1/me", headers=bearer).status_code

    refused(sign_in, first.refresh_token, at + GRACE)

    assert (before, http.get("/v1/me", headers=bearer).status_code) == (200, 401)
    said = [event["type"] for event in world.database["clients"].find_one()["outbox"]]
    assert said == ["client.enrolled", "client.joined", "client.signed_out"]


def test_one_sign_in_ends_without_the_other(world, sign_in, maya):
    here, there, at = world.signed_in(maya), world.signed_in(maya), now()
    sign_in.by_refresh_token(here.refresh_token, at)
    refused(sign_in, here.refresh_token, at + GRACE)

    assert sign_in.by_refresh_token(there.refresh_token, at + GRACE)


def test_a_sign_in_ends_after_its_time_however_often_it_was_refreshed(world, sign_in, maya):
    tokens, at = world.signed_in(maya), now()
    tokens = sign_in.by_refresh_token(tokens.refresh_token, at + SIGNED_IN_FOR - SECOND)

    refused(sign_in, tokens.refresh_token, at + SIGNED_IN_FOR + SECOND)


def test_a_suspension_ends_a_sign_in_for_good(world, sign_in):
    ada = world.member(Role.CLINICIAN, email="ada@example.org")
    tokens = world.signed_in(ada)
    world.database["members"].update_one({"_id": ada.id}, {"$set": {"status": "suspended"}})
    refused(sign_in, tokens.refresh_token)

    world.database["members"].update_one({"_id": ada.id}, {"$set": {"status": "active"}})

    refused(sign_in, tokens.refresh_token)


def test_a_client_who_may_not_come_in_any_more_gets_no_token(world, sign_in, maya):
    tokens = world.signed_in(maya)

    world.database["clients"].delete_one({"_id": maya.id})

    refused(sign_in, tokens.refresh_token)


def test_a_member_without_a_second_factor_gets_no_token(world, sign_in):
    ada = world.member(Role.CLINICIAN, email="ada@example.org")
    tokens = world.signed_in(ada)

    world.database["members"].update_one({"_id": ada.id}, {"$set": {"second_factor": None}})

    refused(sign_in, tokens.refresh_token)


def test_a_stored_sign_in_is_of_no_use_to_who_reads_it(world, sign_in, maya):
    tokens = world.signed_in(maya)
    id = world.database["sign_ins"].find_one()["_id"]

    for token in (id, f"{id}.0", f"{id}.0.", f"{id}.0.{'0' * 64}", f"{id}.00{tokens.refresh_token[38:]}"):
        refused(sign_in, token)

    assert sign_in.by_refresh_token(tokens.refresh_token, now()), "and it ended nothing"


@pytest.mark.parametrize("token", ["", ".", "a.b", "x" * 256, "$where.1", "\0", "a.1.é"])
def test_what_is_no_refresh_token_gives_nothing(world, sign_in, token):
    refused(sign_in, token)


def test_a_token_of_another_sign_in_or_number_is_none_of_this_one(world, sign_in, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)
    id, _, mark = here.refresh_token.split(".")

    for token in (f"{there.refresh_token.split('.')[0]}.0.{mark}", f"{id}.1.{mark}"):
        refused(sign_in, token)

    assert sign_in.by_refresh_token(here.refresh_token, now())


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_before_the_rotation_changes_nothing_and_after_it_is_a_lost_answer(
    world, sign_in, maya, after
):
    tokens = world.signed_in(maya)

    with killed(SignIns, "rotate", after):
        sign_in.by_refresh_token(tokens.refresh_token, now())

    assert sign_in.by_refresh_token(tokens.refresh_token, now())


def test_a_kill_between_the_end_and_its_mark_is_an_end(world, sign_in, maya):
    first, at = world.signed_in(maya), now()
    second = sign_in.by_refresh_token(first.refresh_token, at)

    with killed(Clients, "save", after=True):
        sign_in.by_refresh_token(first.refresh_token, at + GRACE)

    assert world.database["sign_ins"].find_one()["ended_at"] is None
    refused(sign_in, second.refresh_token, at + GRACE)
