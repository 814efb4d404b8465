"""Another address to sign in by, over HTTP."""

from datetime import timedelta

import pytest

from services.practices.domain.apps import hash_of
from services.practices.domain.members import Role
from services.practices.sign_in import NothingToExchange, SignIn
from services.practices.sign_in.codes import CODES, TRIES, MailedCodes
from services.practices.store.codes import Codes
from services.practices.store.people import Clients
from services.practices.store.sign_in import SignIns
from shared.clock import now
from tests.practices.conftest import killed
from tests.practices.signed_in import again, bearer, id_of, refreshes, told

OLD, NEW = "maya@example.org", "maya@example.net"


@pytest.fixture
def maya(world):
    return world.client(email=OLD)


@pytest.fixture
def ada(world):
    return world.with_factor(world.member(Role.CLINICIAN, email="ada@example.org"))


def ask(http, by, email=NEW):
    return http.post("/v1/me/address", json={"email": email}, headers=by)


def change(world, http, by, email=NEW, **about):
    ticket = ask(http, by, email).json["ticket"]
    body = {"email": email, "code": world.mailed(ticket), "ticket": ticket}
    return http.put("/v1/me/address", json=body | about, headers=by)


def test_a_client_changes_their_address_by_a_code_from_the_new_mailbox(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)

    answer = change(world, http, bearer(here))

    after = again(world, maya)
    codes = MailedCodes(world.database, world.settings)
    assert (answer.status_code, answer.json["email"]) == (200, NEW)
    assert (after.email, after.address) == (NEW, codes.address(NEW))
    assert list(after.former_emails.values()) == [OLD]
    assert http.get("/v1/me", headers=bearer(here)).status_code == 200
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401
    assert refreshes(world, there) is None
    assert told(world, "clients") == [
        "client.enrolled",
        "client.joined",
        "client.signed_out",
        "person.contact_set",
    ]
    assert world.signed_in(after)


def test_what_the_old_mailbox_holds_works_no_more(world, http, maya):
    tokens = world.signed_in(maya)
    code, ticket = world.asked(OLD)
    change(world, http, bearer(tokens))
    sign_in = SignIn(world.database, world.settings)

    for held in ((code, ticket), world.asked(OLD, tokens.device)):
        with pytest.raises(NothingToExchange):
            sign_in.by_code(OLD, *held, None, None, now())
    new_code, new_ticket = world.asked(NEW, tokens.device)
    assert (
        world.database["codes"].find_one({"codes.ticket": hash_of(new_ticket)})["codes"][0]["device"] is None
    )
    assert sign_in.by_code(NEW, new_code, new_ticket, None, None, now())


def test_a_member_needs_the_second_factor_too_and_none_that_was_used(world, http, ada):
    by, at = bearer(world.signed_in(ada)), now()
    used = world.code(at)

    ticket = ask(http, by).json["ticket"]
    body = {"email": NEW, "code": world.mailed(ticket), "ticket": ticket}
    answers = [
        http.put("/v1/me/address", json=body | about, headers=by)
        for about in ({}, {"second_factor": used}, {"second_factor": "000000"})
    ]
    fresh = world.code(at + timedelta(seconds=30))
    good = http.put("/v1/me/address", json=body | {"second_factor": fresh}, headers=by)

    assert {(one.status_code, one.json["type"]) for one in answers} == {
        (403, "/problems/second-factor-refused")
    }
    assert (good.status_code, again(world, ada).email) == (200, NEW)


def test_an_address_that_is_taken_shows_only_to_who_has_its_mailbox(world, http, maya):
    world.client(email=NEW)
    by = bearer(world.signed_in(maya))

    asked = [ask(http, by, email) for email in (NEW, "free@example.net")]
    wrong = http.put("/v1/me/address", json={"email": NEW, "code": "1", "ticket": "t"}, headers=by)
    proven = change(world, http, by)

    shown = {(one.status_code, one.json["detail"], len(one.json["ticket"])) for one in asked}
    assert len(shown) == 1
    assert (wrong.status_code, wrong.json["type"]) == (403, "/problems/code-refused")
    assert (proven.status_code, proven.json["type"]) == (409, "/problems/address-taken")
    assert again(world, maya).email == OLD


def test_an_address_of_another_practice_may_be_had_here_too(world, http, maya):
    world.another_practice().client(email=NEW)

    assert change(world, http, bearer(world.signed_in(maya))).status_code == 200


def test_a_code_changes_to_the_address_it_was_mailed_to_once_and_by_who_asked(world, http, maya):
    by, other = bearer(world.signed_in(maya)), bearer(world.signed_in(world.client()))
    ticket = ask(http, by).json["ticket"]
    body = {"email": NEW, "code": world.mailed(ticket), "ticket": ticket}

    def put(by=by, **about):
        return http.put("/v1/me/address", json=body | about, headers=by).status_code

    assert put(email="other@example.net") == 403
    assert put(by=other) == 403
    assert put(ticket="made up") == 403
    assert put() == 200
    assert put() == 403


def test_a_code_to_sign_in_changes_no_address_and_the_other_way_round(world, http, maya):
    by = bearer(world.signed_in(maya))
    code, ticket = world.asked(NEW)
    assert (
        http.put(
            "/v1/me/address", json={"email": NEW, "code": code, "ticket": ticket}, headers=by
        ).status_code
        == 403
    )

    world.client(email=NEW)
    ticket = ask(http, by).json["ticket"]

    with pytest.raises(NothingToExchange):
        SignIn(world.database, world.settings).by_code(NEW, world.mailed(ticket), ticket, None, None, now())


def test_a_code_for_a_change_stands_five_tries_and_there_are_five_an_hour(world, http, maya):
    by = bearer(world.signed_in(maya))
    ticket = ask(http, by).json["ticket"]
    body = {"email": NEW, "code": world.mailed(ticket), "ticket": ticket}
    for _ in range(TRIES):
        http.put("/v1/me/address", json=body | {"code": "wrong"}, headers=by)
    for _ in range(2 * CODES):
        assert ask(http, by).status_code == 202

    assert http.put("/v1/me/address", json=body, headers=by).status_code == 403
    (asked,) = [one for one in world.database["codes"].find() if one["address"] is None]
    assert len(asked["codes"]) == CODES


@pytest.mark.parametrize("email", [None, "", "a", "a@b", "a@b.org\n", "a@b.org\r\nBcc: c@d.org", ["a@b.org"]])
def test_what_is_no_address_is_refused(world, http, maya, email):
    assert ask(http, world.bearer(maya), email).status_code == 422


def test_another_spelling_is_no_other_address(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)

    answer = change(world, http, bearer(here), email=OLD.upper())

    assert answer.json["email"] == OLD.upper()
    assert again(world, maya).former_emails == {}
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401, "whoever asks for it means it"


def test_where_the_new_address_is_kept_until_it_is_mailed_it_cannot_be_read(world, http, maya):
    ask(http, world.bearer(maya))

    assert NEW not in str(list(world.database["codes"].find()))


@pytest.mark.parametrize("place", [(Codes, "use", True), (Clients, "save", False)])
def test_a_kill_before_the_change_costs_another_code(world, http, maya, place):
    tokens = world.signed_in(maya)
    ticket = ask(http, bearer(tokens)).json["ticket"]
    body = {"email": NEW, "code": world.mailed(ticket), "ticket": ticket}

    with killed(*place):
        http.put("/v1/me/address", json=body, headers=bearer(tokens))

    assert http.put("/v1/me/address", json=body, headers=bearer(tokens)).status_code == 403
    assert again(world, maya).email == OLD
    assert change(world, http, bearer(tokens)).status_code == 200


def test_a_kill_after_the_change_leaves_it_whole(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)
    ticket = ask(http, bearer(here)).json["ticket"]
    body = {"email": NEW, "code": world.mailed(ticket), "ticket": ticket}

    with killed(Clients, "save", after=True):
        http.put("/v1/me/address", json=body, headers=bearer(here))

    after = again(world, maya)
    assert (after.email, list(after.former_emails.values())) == (NEW, [OLD])
    assert after.letters_due is not None
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401
    assert refreshes(world, there) is None
    assert SignIns(world.database).find(maya.practice_id, id_of(world, there)).ended_at
