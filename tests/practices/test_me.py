"""What one says of oneself, where one is signed in, and another address, over HTTP."""

from datetime import timedelta

import pytest

from services.practices.domain.apps import hash_of
from services.practices.domain.clients import Client
from services.practices.domain.members import Role
from services.practices.domain.people import OUTLIVED
from services.practices.sign_in import NothingToExchange, SignIn
from services.practices.sign_in.codes import CODES, TRIES, MailedCodes
from services.practices.sign_in.ending import end
from services.practices.store.codes import Codes
from services.practices.store.people import Clients, Members
from services.practices.store.sign_in import SignIns
from services.practices.tokens import key_set
from shared.clock import now
from shared.ids import new_id
from shared.security.tokens import Keys, Verifier
from tests.practices.conftest import killed

OLD, NEW = "maya@example.org", "maya@example.net"


@pytest.fixture
def maya(world):
    return world.client(email=OLD)


@pytest.fixture
def ada(world):
    return world.with_factor(world.member(Role.CLINICIAN, email="ada@example.org"))


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens.access_token}"}


def again(world, person):
    store = Clients(world.database) if isinstance(person, Client) else Members(world.database)
    return store.get(person.practice_id, person.id)


def told(world, collection):
    return [event["type"] for found in world.database[collection].find() for event in found.get("outbox", [])]


def id_of(world, tokens):
    keys = Keys(lambda: key_set(world.database))
    verifier = Verifier(keys, world.settings.issuer, world.settings.audience)
    return verifier.verify(tokens.access_token).sign_in_id


def refreshes(world, tokens, at=None):
    try:
        return SignIn(world.database, world.settings).by_refresh_token(tokens.refresh_token, at or now())
    except NothingToExchange:
        return None


# One's own name, language and time zone.


def test_people_change_what_they_are_called_and_all_hear_of_it(world, http, maya, ada):
    for person, event in ((maya, "client.changed"), (ada, "member.changed")):
        answer = http.patch("/v1/me", json={"display_name": "May"}, headers=world.bearer(person))

        assert (answer.status_code, answer.json["name"], answer.json["language"]) == (200, "May", "en")
        found = world.database[event.partition(".")[0] + "s"].find_one({"_id": person.id})
        said = found["outbox"][-1]
        assert said["type"] == event
        assert said["data"] == {
            f"{event.partition('.')[0]}_id": person.id,
            "display_name": "May",
            "language": "en",
            "timezone": "Europe/Lisbon",
        }


def test_what_changes_nothing_tells_nothing(world, http, maya):
    for body in ({}, {"display_name": "Somebody"}):
        assert http.patch("/v1/me", json=body, headers=world.bearer(maya)).status_code == 200

    assert told(world, "clients") == ["client.enrolled"]


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": ""},
        {"display_name": None},
        {"display_name": "x" * 201},
        {"language": "english"},
        {"timezone": "Mars/Base"},
        {"email": "x@example.org"},
        {"roles": ["owner"]},
        {"practice_id": "p"},
        {"id": "x"},
        {"ended": {}},
        {"status": "active"},
    ],
)
def test_nothing_else_of_oneself_is_changed_like_that(world, http, maya, body):
    assert http.patch("/v1/me", json=body, headers=world.bearer(maya)).status_code == 422


def test_a_client_speaks_a_language_in_which_the_practice_could_tell_where_help_is(world, http, maya, ada):
    answer = http.patch("/v1/me", json={"language": "pt"}, headers=world.bearer(maya))

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/language-not-offered")
    assert http.patch("/v1/me", json={"language": "pt"}, headers=world.bearer(ada)).status_code == 200


def test_apps_are_nobody(world, http):
    headers = world.bearer(world.app())

    for method, path in (
        ("PATCH", "/v1/me"),
        ("GET", "/v1/me/sign-ins"),
        ("DELETE", "/v1/me/sign-ins"),
        ("DELETE", "/v1/me/sign-ins/x"),
        ("POST", "/v1/me/address"),
        ("PUT", "/v1/me/address"),
    ):
        assert http.open(path, method=method, headers=headers, json={}).status_code == 404


# Sign-ins.


def test_sign_ins_are_listed_without_a_word_of_where(world, http, maya):
    before = now()
    here, there = world.signed_in(maya), world.signed_in(maya)
    refreshed = refreshes(world, there)
    world.signed_in(world.client())

    items = http.get("/v1/me/sign-ins", headers=bearer(refreshed)).json["items"]

    assert [(one["id"], one["current"]) for one in items] == [
        (id_of(world, there), True),
        (id_of(world, here), False),
    ]
    assert items[0].keys() == {"id", "began_at", "last_used_at", "expires_at", "current"}
    times = (items[0]["began_at"], items[0]["last_used_at"], items[0]["expires_at"])
    assert before.isoformat(timespec="milliseconds").replace("+00:00", "Z") <= times[0] <= times[1] < times[2]


def test_sign_ins_come_in_pages(world, http, maya):
    tokens = [world.signed_in(maya) for _ in range(3)]
    headers = bearer(tokens[0])

    first = http.get("/v1/me/sign-ins?limit=2", headers=headers).json
    second = http.get(f"/v1/me/sign-ins?limit=2&cursor={first['next']}", headers=headers).json

    listed = [one["id"] for one in first["items"] + second["items"]]
    assert listed == [id_of(world, one) for one in reversed(tokens)]
    assert second["next"] is None


def test_one_that_is_ended_is_out_at_once_and_the_others_are_not(world, http, maya):
    here, there, third = (world.signed_in(maya) for _ in range(3))

    answers = [http.delete(f"/v1/me/sign-ins/{id_of(world, there)}", headers=bearer(here)) for _ in range(2)]

    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b""), (204, b"")]
    refused = http.get("/v1/me", headers=bearer(there))
    assert (refused.status_code, refused.json["type"]) == (401, "/problems/token-invalid")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert refreshes(world, there) is None
    for tokens in (here, third):
        assert http.get("/v1/me", headers=bearer(tokens)).status_code == 200
        assert refreshes(world, tokens)
    assert len(http.get("/v1/me/sign-ins", headers=bearer(here)).json["items"]) == 2
    assert told(world, "clients") == ["client.enrolled", "client.signed_out"]


def test_signing_out_is_ending_ones_own(world, http, maya):
    tokens = world.signed_in(maya)

    assert http.delete(f"/v1/me/sign-ins/{id_of(world, tokens)}", headers=bearer(tokens)).status_code == 204

    assert http.get("/v1/me", headers=bearer(tokens)).status_code == 401
    assert http.get("/v1/me", headers=bearer(world.signed_in(maya))).status_code == 200


def test_all_others_are_ended_at_once(world, http, ada):
    here, there, third = (world.signed_in(ada) for _ in range(3))

    assert http.delete("/v1/me/sign-ins", headers=bearer(here)).status_code == 204

    for tokens in (there, third):
        assert http.get("/v1/me", headers=bearer(tokens)).status_code == 401
        assert refreshes(world, tokens) is None
    assert http.get("/v1/me", headers=bearer(here)).status_code == 200
    assert refreshes(world, here)
    assert told(world, "members") == ["member.joined", "member.signed_out"]


def test_a_refresh_in_the_very_second_of_an_end_goes_on(world, http, maya):
    """Tokens count seconds; an end names sign-ins, and needs no clock."""
    here, there = world.signed_in(maya), world.signed_in(maya)
    http.delete("/v1/me/sign-ins", headers=bearer(here))

    refreshed, anew = refreshes(world, here), world.signed_in(maya)

    assert [http.get("/v1/me", headers=bearer(one)).status_code for one in (refreshed, anew, there)] == [
        200,
        200,
        401,
    ]


def test_anothers_sign_in_looks_like_an_absent_one(world, http, maya, ada):
    colleague = world.signed_in(world.client())
    stranger = world.signed_in(world.another_practice().client())
    mine = bearer(world.signed_in(maya))

    def answer(id):
        answer = http.delete(f"/v1/me/sign-ins/{id}", headers=mine)
        return answer.status_code, {**answer.json, "correlation_id": ""}

    absent = answer(new_id())
    for tokens in (colleague, stranger):
        assert answer(id_of(world, tokens)) == absent
        assert refreshes(world, tokens)
    assert absent[0] == 404


def test_one_person_in_two_standings_sees_and_ends_those_of_each_by_itself(world, http):
    member = world.with_factor(world.member(Role.ADMIN, email=OLD))
    client = world.client(email=OLD)
    as_member, as_client = world.signed_in(member), world.signed_in(client)

    listed = http.get("/v1/me/sign-ins", headers=bearer(as_client)).json["items"]
    answer = http.delete(f"/v1/me/sign-ins/{id_of(world, as_member)}", headers=bearer(as_client))
    http.delete("/v1/me/sign-ins", headers=bearer(as_client))

    assert [one["id"] for one in listed] == [id_of(world, as_client)]
    assert answer.status_code == 404
    assert http.get("/v1/members", headers=bearer(as_client)).status_code == 404
    assert http.get("/v1/members", headers=bearer(as_member)).status_code == 200


def test_an_end_that_was_killed_halfway_is_whole(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)

    with killed(Clients, "save", after=True):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    listed = http.get("/v1/me/sign-ins", headers=bearer(here)).json["items"]
    assert [one["id"] for one in listed] == [id_of(world, here)]
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401
    assert refreshes(world, there) is None


def test_it_is_marked_before_the_person_forgets_it(world, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)
    with killed(Clients, "save", after=True):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    later = now() + OUTLIVED
    end(world.database, "client", maya.practice_id, maya.id, [id_of(world, here)], later)

    assert list(again(world, maya).ended) == [id_of(world, here)]
    assert refreshes(world, there) is None


def test_a_kill_before_the_end_ends_nothing(world, http, maya):
    there = world.signed_in(maya)

    with killed(Clients, "save"):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    assert http.get("/v1/me", headers=bearer(there)).status_code == 200
    assert refreshes(world, there)


def test_what_is_remembered_of_ends_is_bounded(world, maya):
    at = now() - timedelta(days=1)
    for minute in range(0, 100, 5):
        ended = at + timedelta(minutes=minute)
        end(world.database, "client", maya.practice_id, maya.id, [new_id()], ended)

    assert len(again(world, maya).ended) == 4


def test_the_oldest_of_too_many_sign_ins_makes_room(world, maya, monkeypatch):
    monkeypatch.setattr("services.practices.sign_in.tokens.SIGN_INS", 2)
    tokens = [world.signed_in(maya) for _ in range(3)]

    assert [bool(refreshes(world, one)) for one in tokens] == [False, True, True]


# Another address.


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
    assert told(world, "clients") == ["client.enrolled", "client.signed_out"]
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
