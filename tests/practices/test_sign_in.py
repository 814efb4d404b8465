"""Signing in: codes, and what is exchanged for tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pymongo import MongoClient

from services.practices.domain.members import Role
from services.practices.sign_in import (
    AppUnknown,
    NothingToExchange,
    PracticeNotGranted,
    SignIn,
    StandingRequired,
)
from services.practices.sign_in.codes import CODES, DEVICE_LIFETIME, DEVICES, TRIES, MailedCodes
from services.practices.store.people import Clients
from services.practices.tokens import key_set
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.tokens import Keys, Verifier
from tests.commands import Commands
from tests.practices.conftest import SECRET, before, killed

EMAIL = "ada@example.org"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sign_in(world):
    return SignIn(world.database, world.settings)


@pytest.fixture
def codes(world):
    return MailedCodes(world.database, world.settings)


def read(world, tokens):
    keys = Keys(lambda: key_set(world.database))
    return Verifier(keys, world.settings.issuer, world.settings.audience).verify(tokens.access_token)


def other_than(code):
    return f"{(int(code) + 1) % 10**8:08}"


def refused(sign_in, code, ticket, email=EMAIL, at=None):
    with pytest.raises(NothingToExchange) as error:
        sign_in.by_code(email, code, ticket, None, None, at or now())
    return str(error.value)


def comes_in(sign_in, code, ticket, at=None):
    return sign_in.by_code(EMAIL, code, ticket, None, None, at or now())


def test_a_code_is_exchanged_for_a_token_that_says_who_where_and_by_which_sign_in(world, sign_in):
    ada = world.client(email=EMAIL)

    tokens = comes_in(sign_in, *world.asked(EMAIL))

    caller = read(world, tokens)
    assert (caller.id, caller.kind, caller.practice_id) == (ada.id, "client", world.practice.id)
    assert caller.sign_in_id == world.database["sign_ins"].find_one()["_id"]


def test_a_code_works_once_however_many_use_it_at_once(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)

    def use(_):
        try:
            return comes_in(sign_in, code, ticket)
        except NothingToExchange:
            return None

    with ThreadPoolExecutor(TRIES) as pool:
        given = list(pool.map(use, range(TRIES)))

    assert sum(tokens is not None for tokens in given) == 1


def test_a_code_is_good_for_ten_minutes(world, sign_in):
    world.client(email=EMAIL)
    at = now() - 10 * MINUTE
    code, ticket = world.asked(EMAIL, at=at)

    refused(sign_in, code, ticket, at=at + 10 * MINUTE)

    assert comes_in(sign_in, code, ticket, at + 9 * MINUTE)


def test_a_code_stands_five_tries_even_at_once(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)

    with ThreadPoolExecutor(TRIES) as pool:
        list(pool.map(lambda _: refused(sign_in, other_than(code), ticket), range(TRIES)))

    refused(sign_in, code, ticket)


def test_the_fifth_try_may_be_the_right_one(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)
    for _ in range(TRIES - 1):
        refused(sign_in, other_than(code), ticket)

    assert comes_in(sign_in, code, ticket)


def test_a_code_goes_with_the_ticket_of_its_own_asking(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)
    _, other = world.asked(EMAIL)

    for wrong in (other, "", "x", ticket + "x"):
        refused(sign_in, code, wrong)

    assert comes_in(sign_in, code, ticket)


def test_whatever_strangers_try_no_try_of_the_owner_is_lost(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)
    _, theirs = world.asked(EMAIL)
    for _ in range(3 * TRIES):
        refused(sign_in, other_than(code), theirs)
        refused(sign_in, other_than(code), "made up")

    assert comes_in(sign_in, code, ticket)


def test_a_code_is_of_one_address(world, sign_in):
    world.client(email=EMAIL)
    world.client(email="bob@example.org")
    code, ticket = world.asked(EMAIL)

    refused(sign_in, code, ticket, email="bob@example.org")


def test_a_stored_code_moved_to_another_address_is_of_no_use(world, sign_in, codes):
    world.client(email="bob@example.org")
    code, ticket = world.asked(EMAIL)
    found = world.database["codes"].find_one()
    bobs = codes.address("bob@example.org")
    world.database["codes"].insert_one({**found, "_id": bobs, "address": bobs})

    refused(sign_in, code, ticket, email="bob@example.org")


def test_an_earlier_code_stays_good_beside_a_later_one(world, sign_in):
    world.client(email=EMAIL)
    first = world.asked(EMAIL)
    world.asked(EMAIL)

    assert comes_in(sign_in, *first)


def test_a_code_of_an_unknown_address_gives_nothing(world, sign_in):
    refused(sign_in, *world.asked(EMAIL))


def test_a_suspended_member_gets_no_token(world, sign_in):
    ada = world.member(Role.CLINICIAN, email=EMAIL)
    code, ticket = world.asked(EMAIL)

    world.suspend(ada)

    refused(sign_in, code, ticket)


def test_the_first_sign_in_of_an_invited_client_is_their_acceptance(world, sign_in):
    ada = world.invited_client(EMAIL)

    comes_in(sign_in, *world.asked(EMAIL))
    comes_in(sign_in, *world.asked(EMAIL))

    after = Clients(world.database).get(ada.practice_id, ada.id)
    said = [event["type"] for event in world.database["clients"].find_one()["outbox"]]
    assert after.active
    assert said.count("client.joined") == 1


def test_a_kill_between_the_code_and_the_acceptance_costs_another_code_and_no_more(world, sign_in):
    ada = world.invited_client(EMAIL)

    with killed(Clients, "save"):
        comes_in(sign_in, *world.asked(EMAIL))

    assert not Clients(world.database).get(ada.practice_id, ada.id).active
    assert world.database["sign_ins"].count_documents({}) == 0
    assert comes_in(sign_in, *world.asked(EMAIL))


def test_neither_code_nor_ticket_nor_device_is_anywhere_to_be_read(world, sign_in):
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)
    tokens = comes_in(sign_in, code, ticket)

    stored = str([list(world.database[name].find()) for name in ("codes", "devices", "sign_ins")])

    assert not [secret for secret in (code, ticket, tokens.device, EMAIL) if secret in stored]
    assert tokens.refresh_token.rpartition(".")[2] not in stored


def test_who_has_several_standings_chooses_one_and_keeps_the_code(world, sign_in):
    world.member(Role.CLINICIAN, email=EMAIL)
    there = world.another_practice().client(email=EMAIL)
    code, ticket = world.asked(EMAIL)

    for _ in range(TRIES + 1):
        with pytest.raises(StandingRequired) as refused:
            comes_in(sign_in, code, ticket)
    tokens = sign_in.by_code(EMAIL, code, ticket, there.practice_id, "client", now())

    assert {standing.kind for standing in refused.value.standings} == {"member", "client"}
    assert read(world, tokens).id == there.id


def test_a_wrong_code_names_no_standings(world, sign_in):
    world.member(Role.CLINICIAN, email=EMAIL)
    world.client(email=EMAIL)
    code, ticket = world.asked(EMAIL)

    refused(sign_in, other_than(code), ticket)


@pytest.mark.parametrize("device", [None, "made up"])
def test_known_and_unknown_addresses_cost_the_same_commands(world, mongo_url, device):
    world.client(email=EMAIL)
    commands = Commands()
    with MongoClient(mongo_url, tz_aware=True, event_listeners=[commands]) as client:
        sign_in = SignIn(client[world.database.name], world.settings)
        codes = MailedCodes(client[world.database.name], world.settings)

        def cost(email):
            commands.names.clear()
            for _ in range(CODES + 1):
                ticket = codes.ask(email, device, now())
            told = [refused(sign_in, "wrong", one, email=email) for one in (ticket, "made up")]
            return list(commands.names), told, len(ticket)

        known, unknown = cost(EMAIL), cost("nobody@example.org")

    assert known == unknown
    assert known[0]


def exhaust(codes, email=EMAIL):
    for _ in range(2 * CODES):
        codes.ask(email, None, now())


def test_who_has_a_mailbox_that_was_corrected_meanwhile_does_not_come_in(world, sign_in):
    wrong = world.invited_client("wrong@example.org")
    code, ticket = world.asked("wrong@example.org")

    def correct():
        client = Clients(world.database).get(world.practice.id, wrong.id)
        client.correct_address("right@example.org", "right", now())
        client.invite(world.practice, now())
        Clients(world.database).save(client)

    with before(Clients, "change", correct), pytest.raises(NothingToExchange):
        sign_in.by_code("wrong@example.org", code, ticket, None, None, now())

    assert not Clients(world.database).get(world.practice.id, wrong.id).active


def test_strangers_who_ask_all_day_keep_nobody_out_who_was_there_before(world, sign_in, codes):
    world.client(email=EMAIL)
    device = comes_in(sign_in, *world.asked(EMAIL)).device
    exhaust(codes)

    tokens = comes_in(sign_in, *world.asked(EMAIL, device))

    assert tokens.device is None, "it has one"


def test_a_device_has_a_bounded_quota_of_its_own(world, sign_in, codes):
    world.client(email=EMAIL)
    device = comes_in(sign_in, *world.asked(EMAIL)).device

    for _ in range(2 * CODES):
        codes.ask(EMAIL, device, now())

    found = {one["_id"]: len(one["codes"]) for one in world.database["codes"].find()}
    assert sorted(found.values()) == [1, CODES]


@pytest.mark.parametrize("who", ["another address", "made up", "a year ago", "pushed out"])
def test_what_is_no_device_of_the_address_has_no_quota_of_its_own(world, sign_in, codes, who):
    world.client(email=EMAIL)
    world.client(email="bob@example.org")
    email = "bob@example.org" if who == "another address" else EMAIL
    at = now() - DEVICE_LIFETIME if who == "a year ago" else now()
    code, ticket = world.asked(email, at=at)
    device = sign_in.by_code(email, code, ticket, None, None, at).device
    if who == "pushed out":
        for _ in range(DEVICES):
            codes.remember(None, codes.address(EMAIL), now() + MINUTE)
    world.database["codes"].delete_many({})
    exhaust(codes)

    codes.ask(EMAIL, "made up" if who == "made up" else device, now())

    (found,) = world.database["codes"].find()
    assert len(found["codes"]) == CODES


def test_a_device_that_is_used_is_known_for_another_year(world, sign_in, codes):
    world.client(email=EMAIL)
    at = now() - DEVICE_LIFETIME + MINUTE
    code, ticket = world.asked(EMAIL, at=at)
    device = comes_in(sign_in, code, ticket, at).device
    comes_in(sign_in, *world.asked(EMAIL, device))
    exhaust(codes)

    assert comes_in(sign_in, *world.asked(EMAIL, device, at=now()))
    assert world.database["devices"].count_documents({}) == 1


def test_devices_of_an_address_are_bounded(world, codes):
    for _ in range(DEVICES + 3):
        codes.remember(None, codes.address(EMAIL), now())

    assert world.database["devices"].count_documents({}) == DEVICES


@pytest.mark.parametrize(
    "name", ["codes", "devices", "sign_ins", "second_factor_tickets", "second_factor_tries"]
)
def test_what_signing_in_stores_expires(world, name):
    indexes = world.database[name].index_information().values()

    assert [index["key"] for index in indexes if index.get("expireAfterSeconds") == 0] == [
        [("expires_at", 1)]
    ]


def test_an_app_gets_a_token_for_the_platform_without_a_refresh_token(world, sign_in):
    app = world.app()

    tokens = sign_in.by_client_credentials(app.id, SECRET, None, now())

    caller = read(world, tokens)
    assert (caller.id, caller.kind, caller.practice_id) == (app.id, "app", PLATFORM)
    assert (tokens.refresh_token, tokens.device, caller.sign_in_id) == (None, None, "")


def test_an_app_gets_a_token_for_a_practice_while_its_grant_stands(world, sign_in):
    app, practice = world.app(), world.practice.id
    grant = world.grant(app)

    tokens = sign_in.by_client_credentials(app.id, SECRET, practice, now())
    world.revoke(grant)

    assert read(world, tokens).practice_id == practice
    with pytest.raises(PracticeNotGranted):
        sign_in.by_client_credentials(app.id, SECRET, practice, now())


def test_a_practice_that_granted_nothing_looks_like_one_that_is_not_there(world, sign_in):
    app = world.app()

    refused = []
    for practice_id in (world.practice.id, new_id()):
        with pytest.raises(PracticeNotGranted) as error:
            sign_in.by_client_credentials(app.id, SECRET, practice_id, now())
        refused.append(str(error.value))

    assert refused[0] == refused[1]


def test_a_wrong_secret_gives_nothing(world, sign_in):
    app = world.app()

    for id, secret in ((app.id, "wrong"), (new_id(), SECRET)):
        with pytest.raises(AppUnknown):
            sign_in.by_client_credentials(id, secret, None, now())
