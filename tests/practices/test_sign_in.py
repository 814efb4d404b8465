"""Signing in: codes, and what is exchanged for tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pymongo import MongoClient

from services.practices.domain.members import Role
from services.practices.sign_in import (
    CODES,
    SIGNED_IN_FOR,
    TRIES,
    AppUnknown,
    NothingToExchange,
    PracticeNotGranted,
    SignIn,
    StandingRequired,
)
from services.practices.tokens import key_set
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.security.tokens import Keys, Verifier
from tests.commands import Commands
from tests.practices.conftest import SECRET

EMAIL = "ada@example.org"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def sign_in(world):
    return SignIn(world.database, world.settings)


def read(world, tokens):
    keys = Keys(lambda: key_set(world.database))
    return Verifier(keys, world.settings.issuer, world.settings.audience).verify(tokens.access_token)


def other_than(code):
    return f"{(int(code) + 1) % 10**8:08}"


def ask(sign_in, world, at=None):
    sign_in.ask(EMAIL, at or now())
    return world.code_for(EMAIL)


def test_a_code_is_exchanged_for_a_token_that_says_who_and_where(world, sign_in):
    ada = world.member(Role.CLINICIAN, email=EMAIL)

    tokens = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())

    caller = read(world, tokens)
    assert (caller.id, caller.kind, caller.practice_id) == (ada.id, "member", world.practice.id)


def test_a_code_works_once_however_many_use_it_at_once(world, sign_in):
    world.client(email=EMAIL)
    code = ask(sign_in, world)

    def use(_):
        try:
            return sign_in.by_code(EMAIL, code, None, None, now())
        except NothingToExchange:
            return None

    with ThreadPoolExecutor(TRIES) as pool:
        given = list(pool.map(use, range(TRIES)))

    assert sum(tokens is not None for tokens in given) == 1


def test_a_code_is_good_for_ten_minutes(world, sign_in):
    world.client(email=EMAIL)
    at = now() - 10 * MINUTE
    code = ask(sign_in, world, at)

    with pytest.raises(NothingToExchange):
        sign_in.by_code(EMAIL, code, None, None, at + 10 * MINUTE)

    assert sign_in.by_code(EMAIL, code, None, None, at + 9 * MINUTE)


def test_a_code_stands_five_tries_even_at_once(world, sign_in):
    world.client(email=EMAIL)
    code = ask(sign_in, world)

    def guess(_):
        with pytest.raises(NothingToExchange):
            sign_in.by_code(EMAIL, other_than(code), None, None, now())

    with ThreadPoolExecutor(TRIES) as pool:
        list(pool.map(guess, range(TRIES)))

    with pytest.raises(NothingToExchange):
        sign_in.by_code(EMAIL, code, None, None, now())


def test_the_fifth_try_may_be_the_right_one(world, sign_in):
    world.client(email=EMAIL)
    code = ask(sign_in, world)
    for _ in range(TRIES - 1):
        with pytest.raises(NothingToExchange):
            sign_in.by_code(EMAIL, other_than(code), None, None, now())

    assert sign_in.by_code(EMAIL, code, None, None, now())


def test_a_code_is_of_one_address(world, sign_in):
    world.client(email=EMAIL)
    world.client(email="bob@example.org")
    sign_in.ask("bob@example.org", now())
    code = ask(sign_in, world)

    with pytest.raises(NothingToExchange):
        sign_in.by_code("bob@example.org", code, None, None, now())


def test_a_stored_code_moved_to_another_address_is_of_no_use(world, sign_in):
    world.client(email="bob@example.org")
    code = ask(sign_in, world)
    found = world.database["sign_ins"].find_one()
    world.database["sign_ins"].insert_one({**found, "_id": sign_in.address("bob@example.org")})

    with pytest.raises(NothingToExchange):
        sign_in.by_code("bob@example.org", code, None, None, now())


def test_an_earlier_code_stays_good_beside_a_later_one(world, sign_in):
    world.client(email=EMAIL)
    first = ask(sign_in, world)
    ask(sign_in, world)

    assert sign_in.by_code(EMAIL, first, None, None, now())


def test_a_code_of_an_unknown_address_gives_nothing(world, sign_in):
    code = ask(sign_in, world)

    with pytest.raises(NothingToExchange):
        sign_in.by_code(EMAIL, code, None, None, now())


def test_a_suspended_member_gets_no_token(world, sign_in):
    ada = world.member(Role.CLINICIAN, email=EMAIL)
    code = ask(sign_in, world)

    world.suspend(ada)

    with pytest.raises(NothingToExchange):
        sign_in.by_code(EMAIL, code, None, None, now())


def test_the_code_is_nowhere_to_be_read(world, sign_in):
    code = ask(sign_in, world)

    stored = str(world.database["sign_ins"].find_one())

    assert code not in stored
    assert EMAIL not in stored


def test_who_has_several_standings_chooses_one_and_keeps_the_code(world, sign_in):
    world.member(Role.CLINICIAN, email=EMAIL)
    there = world.another_practice().client(email=EMAIL)
    code = ask(sign_in, world)

    for _ in range(TRIES + 1):
        with pytest.raises(StandingRequired) as refused:
            sign_in.by_code(EMAIL, code, None, None, now())
    tokens = sign_in.by_code(EMAIL, code, there.practice_id, "client", now())

    assert {standing.kind for standing in refused.value.standings} == {"member", "client"}
    assert read(world, tokens).id == there.id


def test_a_wrong_code_names_no_standings(world, sign_in):
    world.member(Role.CLINICIAN, email=EMAIL)
    world.client(email=EMAIL)
    code = ask(sign_in, world)

    with pytest.raises(NothingToExchange):
        sign_in.by_code(EMAIL, other_than(code), None, None, now())


def test_known_and_unknown_addresses_cost_the_same_commands(world, mongo_url):
    world.client(email=EMAIL)
    commands = Commands()
    with MongoClient(mongo_url, tz_aware=True, event_listeners=[commands]) as client:
        sign_in = SignIn(client[world.database.name], world.settings)

        def cost(email):
            commands.names.clear()
            for _ in range(CODES + 1):
                sign_in.ask(email, now())
            with pytest.raises(NothingToExchange) as refused:
                sign_in.by_code(email, "wrong", None, None, now())
            return list(commands.names), str(refused.value)

        known, unknown = cost(EMAIL), cost("nobody@example.org")

    assert known == unknown
    assert known[0]


def test_a_refresh_token_is_exchanged_for_the_next(world, sign_in):
    ada = world.client(email=EMAIL)
    tokens = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())

    for _ in range(3):
        tokens = sign_in.by_refresh_token(tokens.refresh_token, now())

    assert read(world, tokens).id == ada.id


def test_an_old_refresh_token_seen_again_ends_the_signing_in(world, sign_in):
    world.client(email=EMAIL)
    first = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())
    second = sign_in.by_refresh_token(first.refresh_token, now())

    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(NothingToExchange):
            sign_in.by_refresh_token(token, now())


def test_one_signing_in_ends_without_the_other(world, sign_in):
    world.client(email=EMAIL)
    here = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())
    there = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())
    sign_in.by_refresh_token(here.refresh_token, now())
    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(here.refresh_token, now())

    assert sign_in.by_refresh_token(there.refresh_token, now())


def test_a_signing_in_ends_after_its_time(world, sign_in):
    world.client(email=EMAIL)
    at = now()
    tokens = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, at)

    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(tokens.refresh_token, at + SIGNED_IN_FOR)


def test_a_suspension_ends_a_signing_in(world, sign_in):
    ada = world.member(Role.CLINICIAN, email=EMAIL)
    tokens = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())

    world.suspend(ada)

    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(tokens.refresh_token, now())


def test_a_stored_refresh_token_is_of_no_use(world, sign_in):
    world.client(email=EMAIL)
    tokens = sign_in.by_code(EMAIL, ask(sign_in, world), None, None, now())

    stored = str(world.database["refresh_tokens"].find_one())

    assert not any(part in stored for part in tokens.refresh_token.split("."))


@pytest.mark.parametrize("token", ["", ".", "a.b", "x" * 256, "$where.1"])
def test_what_is_no_refresh_token_gives_nothing(world, sign_in, token):
    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(token, now())


def test_an_app_gets_a_token_for_the_platform_without_a_refresh_token(world, sign_in):
    app = world.app()

    tokens = sign_in.by_client_credentials(app.id, SECRET, None, now())

    caller = read(world, tokens)
    assert (caller.id, caller.kind, caller.practice_id) == (app.id, "app", PLATFORM)
    assert tokens.refresh_token is None


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
