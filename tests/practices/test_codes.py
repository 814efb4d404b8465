"""What is kept of codes, devices, sign-ins and tries, on a real MongoDB."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from services.practices.store.codes import Code, Codes
from services.practices.store.second_factors import Ticket, Tickets, Tries
from services.practices.store.sign_in import SignedIn, SignIns
from shared.clock import now
from shared.ids import new_id

HOUR = timedelta(hours=1)


def code(at, **about):
    given = {"id": new_id(), "quota": "quota", "address": "address", "digest": "d", "ticket": new_id()}
    return Code(**(given | about), made_at=at, expires_at=at + HOUR, sealed=b"s")


def test_no_more_codes_than_allowed_however_many_ask_at_once(world):
    at = now()

    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda _: Codes(world.database).ask(code(at), 5, HOUR), range(40)))

    assert sum(given) == 5
    assert len(world.database["codes"].find_one()["codes"]) == 5


def test_a_new_code_is_given_once_the_oldest_is_an_hour_old(world):
    codes, at = Codes(world.database), now()
    for minutes in range(5):
        codes.ask(code(at + timedelta(minutes=minutes)), 5, HOUR)

    assert not codes.ask(code(at + timedelta(minutes=59)), 5, HOUR)
    assert codes.ask(code(at + timedelta(minutes=60)), 5, HOUR)
    assert not codes.ask(code(at + timedelta(minutes=60)), 5, HOUR)


def test_one_quota_that_is_full_leaves_room_in_another(world):
    codes, at = Codes(world.database), now()
    codes.ask(code(at), 1, HOUR)

    assert not codes.ask(code(at), 1, HOUR)
    assert codes.ask(code(at, quota="quota/device"), 1, HOUR)


def test_a_try_is_counted_of_its_own_ticket_only(world):
    codes, at = Codes(world.database), now()
    mine, theirs = code(at), code(at)
    elsewhere = code(at, quota="quota/device")
    for one in (mine, theirs, elsewhere):
        codes.ask(one, 5, HOUR)

    with ThreadPoolExecutor(8) as pool:
        tried = list(pool.map(lambda _: codes.try_to_sign_in("address", theirs.ticket, 5, at), range(12)))

    assert sum(one is not None for one in tried) == 5
    assert codes.try_to_sign_in("address", mine.ticket, 5, at) == mine
    assert codes.try_to_sign_in("address", elsewhere.ticket, 5, at) == elsewhere
    assert codes.try_to_sign_in("another", mine.ticket, 5, at) is None
    assert codes.try_to_sign_in("address", mine.ticket, 5, at + HOUR) is None


def test_a_code_that_is_for_something_else_is_found_by_its_quota_only(world):
    codes, at = Codes(world.database), now()
    change = code(at, quota="change/p", address=None)
    codes.ask(change, 5, HOUR)

    assert codes.try_to_sign_in("address", change.ticket, 5, at) is None
    assert codes.try_of("quota", change.ticket, 5, at) is None
    assert codes.try_of("change/p", change.ticket, 5, at) == change


def test_a_code_asked_for_while_another_is_sent_stays_due(world):
    codes, at = Codes(world.database), now()
    codes.ask(code(at), 5, HOUR)
    sent = codes.to_send(at)
    later = code(at)
    codes.ask(later, 5, HOUR)

    codes.settle(sent)

    assert codes.to_send(at) == {"quota": [later]}


def test_nothing_readable_stays_of_a_code_that_was_sent(world):
    codes, at = Codes(world.database), now()
    codes.ask(code(at, sealed_to=b"to"), 5, HOUR)

    codes.settle(codes.to_send(at))

    (kept,) = world.database["codes"].find_one()["codes"]
    assert codes.to_send(at) == {}
    assert (kept["sealed"], kept["sealed_to"]) == (None, None)


def signed_in(at, **about):
    given = {"id": new_id(), "practice_id": "p", "person_id": "maya", "kind": "client"}
    return SignedIn(**(given | about), began_at=at, last_used_at=at, expires_at=at + HOUR)


def test_of_many_who_present_one_refresh_token_one_goes_on(world):
    sign_ins, at = SignIns(world.database), now()
    one = signed_in(at)
    sign_ins.add(one, 5)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: sign_ins.rotate(one, 0, at), range(16)))

    assert found.count(True) == 1


def test_one_that_has_ended_or_expired_is_not_rotated(world):
    sign_ins, at = SignIns(world.database), now()
    ended, expired = signed_in(at), signed_in(at)
    for one in (ended, expired):
        sign_ins.add(one, 5)

    sign_ins.end(ended, at)

    assert not sign_ins.rotate(ended, 0, at)
    assert not sign_ins.rotate(expired, 0, at + HOUR)


def test_the_last_of_each_person_are_kept(world):
    sign_ins, at = SignIns(world.database), now()
    mine = [signed_in(at) for _ in range(4)]
    others = [signed_in(at, person_id="noah"), signed_in(at, practice_id="q")]
    for one in (*others, *mine):
        sign_ins.add(one, 2)

    kept = {found["_id"] for found in world.database["sign_ins"].find()}

    assert kept == {one.id for one in (*others, *mine[2:])}


def test_tries_within_an_hour_are_bounded_even_at_once_and_begin_anew_after_it(world):
    tries, at = Tries(world.database), now()

    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda _: tries.count("p", "ada", 5, HOUR, at), range(12)))

    assert sum(counted) == 5
    assert tries.count("p", "bob", 5, HOUR, at)
    assert not tries.count("p", "ada", 5, HOUR, at + HOUR - timedelta(seconds=1))
    assert tries.count("p", "ada", 5, HOUR, at + HOUR)


def test_a_ticket_is_used_by_one_of_many(world):
    tickets, at = Tickets(world.database), now()
    about = {"practice_id": "p", "member_id": "ada", "address": "a", "device": None, "sealed_secret": None}
    ticket = Ticket(id="t", expires_at=at + HOUR, **about)
    tickets.add(ticket)

    with ThreadPoolExecutor(8) as pool:
        used = list(pool.map(lambda _: tickets.use(ticket), range(16)))

    assert used.count(True) == 1
