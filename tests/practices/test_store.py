"""What practices keeps, on a real MongoDB."""

import pytest

from services.practices.domain.addresses import AddressTaken
from services.practices.domain.apps import Grant, GrantStands
from services.practices.domain.members import Role
from services.practices.store.episodes import Episodes
from services.practices.store.people import Clients, Members
from shared.clock import now
from shared.store.aggregates import KeyReused


def grant(world, giving, scopes=("goal.read",)):
    return Grant.give(
        id="g1",
        practice_id=world.practice.id,
        app_id="app1",
        event_types=[],
        scopes=list(scopes),
        given_at=now(),
        givings={giving: None},
    )


def test_an_address_is_one_members_in_a_practice(world):
    world.member(Role.ADMIN, email="ada@example.org")

    with pytest.raises(AddressTaken):
        world.member(Role.CLINICIAN, email="Ada@example.org")


def test_an_address_may_be_a_members_a_clients_and_of_two_practices(world):
    world.member(Role.ADMIN, email="ada@example.org")
    world.client(email="ada@example.org")
    world.another_practice().member(Role.ADMIN, email="ada@example.org")

    address = Members(world.database).list(world.practice.id, {}, 1)[0].address
    assert len(Members(world.database).with_address(address)) == 2
    assert len(Clients(world.database).with_address(address)) == 1


def test_a_suspended_member_is_not_found_by_address(world):
    member = world.member(Role.CLINICIAN)

    world.suspend(member)

    assert Members(world.database).with_address(member.address) == []


def test_a_caseload_is_of_one_practice_and_one_clinician(world):
    clara, daniel = world.member(Role.CLINICIAN), world.member(Role.CLINICIAN)
    maya, noah = world.client(), world.client()
    world.episode(maya, clara)
    world.episode(noah, daniel)

    episodes = Episodes(world.database)

    assert episodes.caseload(world.practice.id, {clara.id}) == [maya.id]
    assert episodes.caseload("another", {clara.id}) == []


def test_a_grant_revoked_is_given_again_as_the_same_aggregate(world):
    first, _ = world.grants().add(grant(world, "k1"), "f1")
    first.revoke(now())
    world.grants().save(first)

    again, made = world.grants().add(grant(world, "k2", ["goal.list"]), "f2")

    assert (again.id, again.version, again.scopes, again.stands, made) == (
        "g1",
        3,
        ["goal.list"],
        True,
        True,
    )


def test_a_repeated_request_gives_no_grant_that_was_revoked_since(world):
    first, _ = world.grants().add(grant(world, "k1"), "f1")
    first.revoke(now())
    world.grants().save(first)

    repeated, made = world.grants().add(grant(world, "k1"), "f1")

    assert (repeated.stands, repeated.version, made) == (False, 2, False)


def test_a_second_grant_beside_one_that_stands_is_refused(world):
    world.grants().add(grant(world, "k1"), "f1")

    with pytest.raises(GrantStands):
        world.grants().add(grant(world, "k2"), "f1")


def test_a_key_reused_for_another_grant_is_refused(world):
    world.grants().add(grant(world, "k1"), "f1")

    with pytest.raises(KeyReused):
        world.grants().add(grant(world, "k1", ["goal.list"]), "f2")
