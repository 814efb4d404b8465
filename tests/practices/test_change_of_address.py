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
from tests.practices.conftest import before, killed
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


def proofs(world, http, by, email=NEW, present=OLD):
    """What a client sends, who reads both mailboxes; a member has no code at the present one."""
    ticket = ask(http, by, email).json["ticket"]
    codes = {"present_code": world.mailed(ticket, present)} if present else {}
    return {"email": email, "code": world.mailed(ticket, email), "ticket": ticket} | codes


def put(http, by, body):
    return http.put("/v1/me/address", json=body, headers=by)


def change(world, http, by, email=NEW):
    return put(http, by, proofs(world, http, by, email))


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

    body = proofs(world, http, by, present=None)
    answers = [
        put(http, by, body | about) for about in ({}, {"second_factor": used}, {"second_factor": "000000"})
    ]
    fresh = world.code(at + timedelta(seconds=30))
    good = put(http, by, body | {"second_factor": fresh})

    assert {(one.status_code, one.json["type"]) for one in answers} == {
        (403, "/problems/second-factor-refused")
    }
    assert (good.status_code, again(world, ada).email) == (200, NEW)


def test_an_address_that_is_taken_shows_only_to_who_has_its_mailbox(world, http, maya):
    world.client(email=NEW)
    by = bearer(world.signed_in(maya))

    asked = [ask(http, by, email) for email in (NEW, "free@example.net")]
    wrong = put(http, by, {"email": NEW, "code": "1", "ticket": "t"})
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
    body = proofs(world, http, by)

    def changes(by=by, **about):
        return put(http, by, body | about).status_code

    assert changes(email="other@example.net") == 403
    assert changes(by=other) == 403
    assert changes(ticket="made up") == 403
    assert changes() == 200
    assert changes() == 403


def test_who_has_no_second_factor_proves_the_present_mailbox_too(world, http, maya):
    by = bearer(world.signed_in(maya))
    body = proofs(world, http, by)
    alone = {name: given for name, given in body.items() if name != "present_code"}
    to_sign_in, _ = world.asked(OLD)

    answers = [
        put(http, by, alone | about)
        for about in ({}, {"present_code": body["code"]}, {"present_code": to_sign_in})
    ]
    swapped = put(http, by, body | {"code": body["present_code"], "present_code": body["code"]})
    good = put(http, by, body)

    assert {(one.status_code, one.json["type"]) for one in (*answers, swapped)} == {
        (403, "/problems/code-refused")
    }
    assert "present_code" in answers[0].json["detail"]
    assert (good.status_code, again(world, maya).email) == (200, NEW)


def test_whoever_holds_a_phone_with_a_token_finds_no_way_to_the_account(world, http, maya):
    by = bearer(world.signed_in(maya))
    theirs = proofs(world, http, by)

    for attempt in range(3 * TRIES):
        guess = f"{(int(theirs['present_code']) + 1 + attempt) % 10**8:08}"
        assert put(http, by, theirs | {"present_code": guess}).status_code == 403

    assert put(http, by, theirs).status_code == 403, "a code stands so many tries"
    assert again(world, maya).email == OLD


def test_a_present_address_that_changed_meanwhile_is_proven_anew(world, http, maya):
    here, there = (bearer(world.signed_in(maya)) for _ in range(2))
    earlier = proofs(world, http, here)
    body = proofs(world, http, there, "maya@example.com")
    assert put(http, there, body).status_code == 200

    assert put(http, bearer(world.signed_in(again(world, maya))), earlier).status_code == 403
    assert again(world, maya).email == "maya@example.com"


def test_of_two_changes_at_once_the_second_proves_the_mailbox_that_is_left_by_then(world, http, maya):
    here, there = (bearer(world.signed_in(maya)) for _ in range(2))
    mine, theirs = proofs(world, http, here), proofs(world, http, there, "maya@example.com")

    with before(Clients, "save", lambda: put(http.application.test_client(), there, theirs)):
        answer = put(http, here, mine)

    assert (answer.status_code, again(world, maya).email) == (403, "maya@example.com")


def test_a_mail_to_either_address_says_nothing_of_what_it_is_about(world, http, maya):
    ticket = ask(http, bearer(world.signed_in(maya))).json["ticket"]

    letters = [
        MailedCodes(world.database, world.settings).letter(code)
        for codes in Codes(world.database).to_send(now()).values()
        for code in codes
        if code.ticket == hash_of(ticket)
    ]

    assert sorted(to for _, to in letters) == [[NEW], [OLD]]
    assert all(said.isdigit() for said, _ in letters)


def test_a_code_to_sign_in_changes_no_address_and_the_other_way_round(world, http, maya):
    by = bearer(world.signed_in(maya))
    code, ticket = world.asked(NEW)
    body = {"email": NEW, "code": code, "ticket": ticket, "present_code": code}
    assert put(http, by, body).status_code == 403

    world.client(email=NEW)
    ticket = ask(http, by).json["ticket"]

    with pytest.raises(NothingToExchange):
        SignIn(world.database, world.settings).by_code(
            NEW, world.mailed(ticket, NEW), ticket, None, None, now()
        )


def test_a_code_for_a_change_stands_five_tries_and_there_are_five_an_hour(world, http, maya):
    by = bearer(world.signed_in(maya))
    body = proofs(world, http, by)
    for _ in range(TRIES):
        put(http, by, body | {"code": "wrong"})
    for _ in range(2 * CODES):
        assert ask(http, by).status_code == 202

    assert put(http, by, body).status_code == 403
    asked = [one for one in world.database["codes"].find() if one["address"] is None]
    assert [len(one["codes"]) for one in asked] == [CODES, CODES], "at either address"


@pytest.mark.parametrize("email", [None, "", "a", "a@b", "a@b.org\n", "a@b.org\r\nBcc: c@d.org", ["a@b.org"]])
def test_what_is_no_address_is_refused(world, http, maya, email):
    assert ask(http, world.bearer(maya), email).status_code == 422


def test_another_spelling_is_no_other_address(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)

    # One mailbox, and so one code.
    answer = put(http, bearer(here), proofs(world, http, bearer(here), OLD.upper(), present=None))

    assert answer.json["email"] == OLD.upper()
    assert again(world, maya).former_emails == {}
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401, "whoever asks for it means it"


def test_where_the_new_address_is_kept_until_it_is_mailed_it_cannot_be_read(world, http, maya):
    ask(http, world.bearer(maya))

    assert NEW not in str(list(world.database["codes"].find()))


def comes_in(world, code, ticket):
    try:
        return SignIn(world.database, world.settings).by_code(OLD, code, ticket, None, None, now())
    except NothingToExchange:
        return None


def test_who_signs_in_by_the_old_address_while_it_is_changed_does_not_come_in(world, http, maya):
    by, held = bearer(world.signed_in(maya)), world.asked(OLD)
    body = proofs(world, http, by)

    with before(SignIns, "add", lambda: put(http, by, body)):
        came = comes_in(world, *held)

    assert again(world, maya).email == NEW
    assert came is None
    assert len(http.get("/v1/me/sign-ins", headers=by).json["items"]) == 1


@pytest.mark.parametrize("place", [(SignIns, "mark_ended"), (SignIns, "ids_of"), (Clients, "save")])
def test_who_came_in_by_the_old_address_while_it_is_changed_is_out(world, http, maya, place):
    by, held, came = bearer(world.signed_in(maya)), world.asked(OLD), []
    body = proofs(world, http, by)

    with before(*place, lambda: came.append(comes_in(world, *held))):
        assert put(http, by, body).status_code == 200

    (tokens,) = came
    assert http.get("/v1/me", headers=bearer(tokens)).status_code == 401
    assert refreshes(world, tokens) is None
    assert http.get("/v1/me", headers=by).status_code == 200


@pytest.mark.parametrize("place", [(Codes, "use", True), (Clients, "save", False)])
def test_a_kill_before_the_change_costs_another_code(world, http, maya, place):
    tokens = world.signed_in(maya)
    body = proofs(world, http, bearer(tokens))

    with killed(*place):
        put(http, bearer(tokens), body)

    assert put(http, bearer(tokens), body).status_code == 403
    assert again(world, maya).email == OLD
    assert change(world, http, bearer(tokens)).status_code == 200


def test_a_kill_after_the_change_leaves_it_whole(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)
    body = proofs(world, http, bearer(here))

    with killed(Clients, "save", after=True):
        put(http, bearer(here), body)

    after = again(world, maya)
    assert (after.email, list(after.former_emails.values())) == (NEW, [OLD])
    assert after.letters_due is not None
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401
    assert refreshes(world, there) is None
    assert SignIns(world.database).find(maya.practice_id, id_of(world, there)).ended_at
