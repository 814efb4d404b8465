"""The second factor of members: enrolled, asked for, used up, reset."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from services.practices.domain.members import Member, OnlyOwners, Role
from services.practices.domain.second_factors import NotYourOwn, SecondFactor
from services.practices.sign_in import NothingToExchange, SecondFactorRequired, SignIn, totp
from services.practices.sign_in.second_factors import RECOVERY_CODES, TICKET_TRIES, TRIES
from services.practices.store.people import Members
from services.practices.store.second_factors import Tickets
from services.practices.store.sign_in import SignedIn, SignIns
from shared.clock import now
from shared.ids import new_id
from shared.store.aggregates import StaleVersion
from tests.practices.conftest import before, killed

EMAIL = "ada@example.org"
MINUTE = timedelta(minutes=1)
STEP = timedelta(seconds=30)


@pytest.fixture
def sign_in(world):
    return SignIn(world.database, world.settings)


@pytest.fixture
def ada(world):
    return world.with_factor(world.member(Role.ADMIN, email=EMAIL))


def required(world, sign_in, at=None):
    code, ticket = world.asked(EMAIL, at=at)
    with pytest.raises(SecondFactorRequired) as error:
        sign_in.by_code(EMAIL, code, ticket, None, "member", at or now())
    return error.value


def refused(sign_in, ticket, code, at=None):
    with pytest.raises(NothingToExchange):
        sign_in.by_second_factor(ticket, code, at or now())


def again(world, ada):
    return Members(world.database).get(ada.practice_id, ada.id)


def test_a_members_code_alone_gives_no_token_and_a_clients_does(world, sign_in, ada):
    world.client(email=EMAIL)

    ticket = required(world, sign_in).ticket

    assert world.database["sign_ins"].count_documents({}) == 0
    assert sign_in.by_second_factor(ticket, world.code(), now()).access_token
    code, ticket = world.asked(EMAIL)
    assert sign_in.by_code(EMAIL, code, ticket, None, "client", now()).access_token


def test_who_has_none_enrols_one_with_the_first_right_code(world, sign_in):
    ada = world.member(Role.ADMIN, email=EMAIL)
    enrolment = required(world, sign_in).enrolment
    wanted = required(world, sign_in)
    secret = base64.b32decode(wanted.enrolment["secret"])

    refused(sign_in, wanted.ticket, world.code(secret=base64.b32decode(enrolment["secret"])))
    tokens = sign_in.by_second_factor(wanted.ticket, world.code(secret=secret), now())

    assert len(set(tokens.recovery_codes)) == RECOVERY_CODES
    assert wanted.enrolment["secret"] in wanted.enrolment["uri"]
    assert again(world, ada).second_factor is not None
    assert required(world, sign_in).enrolment is None


def test_of_two_who_enrol_at_once_one_does(world, sign_in):
    """Both have loaded the member without any before either saves."""
    ada = world.member(Role.ADMIN, email=EMAIL)
    first, second = (required(world, sign_in) for _ in range(2))
    codes = [world.code(secret=base64.b32decode(one.enrolment["secret"])) for one in (first, second)]
    came = []

    with before(
        Members, "save", lambda: came.append(sign_in.by_second_factor(first.ticket, codes[0], now()))
    ):
        refused(sign_in, second.ticket, codes[1])

    assert came[0].recovery_codes
    assert len(again(world, ada).second_factor.recovery_codes) == RECOVERY_CODES
    assert sign_in.by_second_factor(required(world, sign_in).ticket, came[0].recovery_codes[0], now())


def test_the_code_of_the_enrolment_is_used_up_by_it(world, sign_in):
    world.member(Role.ADMIN, email=EMAIL)
    wanted = required(world, sign_in)
    code = world.code(secret=base64.b32decode(wanted.enrolment["secret"]))
    sign_in.by_second_factor(wanted.ticket, code, now())

    refused(sign_in, required(world, sign_in).ticket, code)


def test_a_code_of_the_authenticator_is_used_once(world, sign_in, ada):
    at, next = now(), now() + STEP
    first, second, third = (required(world, sign_in).ticket for _ in range(3))
    sign_in.by_second_factor(first, world.code(next), at)

    refused(sign_in, second, world.code(next), next)
    refused(sign_in, second, world.code(at), next)

    assert sign_in.by_second_factor(third, world.code(next + STEP), next)


def test_of_many_who_bring_one_code_at_once_one_comes_in(world, sign_in, ada):
    tickets, at = [required(world, sign_in).ticket for _ in range(4)], now()

    def come(ticket):
        try:
            return sign_in.by_second_factor(ticket, world.code(at), at)
        except NothingToExchange:
            return None

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(come, tickets))

    assert sum(tokens is not None for tokens in came) == 1


def test_a_ticket_works_once(world, sign_in, ada):
    ticket, at = required(world, sign_in).ticket, now()
    sign_in.by_second_factor(ticket, world.code(at), at)

    refused(sign_in, ticket, world.code(at + STEP), at + STEP)


def test_a_ticket_lasts_five_minutes(world, sign_in, ada):
    at = now()
    early, late = (required(world, sign_in, at).ticket for _ in range(2))

    refused(sign_in, late, world.code(at + 5 * MINUTE), at + 5 * MINUTE)

    assert sign_in.by_second_factor(early, world.code(at + 4 * MINUTE), at + 4 * MINUTE)


def test_a_ticket_stands_five_tries(world, sign_in, ada):
    ticket, other = required(world, sign_in).ticket, required(world, sign_in).ticket

    with ThreadPoolExecutor(TICKET_TRIES) as pool:
        list(pool.map(lambda _: refused(sign_in, ticket, "000000x"), range(TICKET_TRIES)))

    refused(sign_in, ticket, world.code())
    assert sign_in.by_second_factor(other, world.code(), now())


def tried_out(world, sign_in, at):
    """Twenty tries, by whoever reads the member's mail."""
    for _ in range(TRIES // TICKET_TRIES):
        world.database["codes"].delete_many({})
        ticket = required(world, sign_in, at).ticket
        for _ in range(TICKET_TRIES):
            refused(sign_in, ticket, "wrong", at)
    world.database["codes"].delete_many({})


def test_tries_of_a_member_are_bounded_by_the_hour_whatever_the_ticket(world, sign_in, ada):
    at = now() - timedelta(hours=1)
    tried_out(world, sign_in, at)

    refused(sign_in, required(world, sign_in, at).ticket, world.code(at), at)

    tickets = world.database["second_factor_tickets"]
    after = at + timedelta(hours=1)
    ticket = required(world, sign_in, after).ticket
    assert sign_in.by_second_factor(ticket, world.code(after), after)
    assert tickets.count_documents({}) == TRIES // TICKET_TRIES + 1


def test_without_the_mailed_code_no_try_is_counted(world, sign_in, ada):
    for number in range(2 * TRIES):
        refused(sign_in, f"made up {number}", world.code())

    assert world.database["second_factor_tries"].count_documents({}) == 0
    assert sign_in.by_second_factor(required(world, sign_in).ticket, world.code(), now())


def recovery_codes(world, sign_in):
    world.member(Role.ADMIN, email=EMAIL)
    wanted = required(world, sign_in)
    code = world.code(secret=base64.b32decode(wanted.enrolment["secret"]))
    return sign_in.by_second_factor(wanted.ticket, code, now()).recovery_codes


def test_a_recovery_code_works_once_however_it_is_spelled(world, sign_in):
    first, second, *_ = recovery_codes(world, sign_in)

    assert sign_in.by_second_factor(required(world, sign_in).ticket, first, now()).recovery_codes is None
    ticket = required(world, sign_in).ticket
    refused(sign_in, ticket, first)
    refused(sign_in, ticket, "")
    assert sign_in.by_second_factor(ticket, second.lower().replace("-", " "), now())


def test_a_recovery_code_is_of_one_member(world, sign_in, ada):
    there = world.another_practice()
    bob = there.with_factor(there.member(Role.ADMIN, email="bob@example.org"))
    world.database["members"].delete_one({"_id": ada.id})
    codes = recovery_codes(world, sign_in)
    moved = world.database["members"].find_one({"address": {"$ne": bob.address}})["second_factor"]
    recovery = {"second_factor.recovery_codes": moved["recovery_codes"]}
    world.database["members"].update_one({"_id": bob.id}, {"$set": recovery})

    code, ticket = world.asked("bob@example.org")
    with pytest.raises(SecondFactorRequired) as wanted:
        sign_in.by_code("bob@example.org", code, ticket, None, None, now())

    refused(sign_in, wanted.value.ticket, codes[0])


def test_no_secret_and_no_recovery_code_is_anywhere_to_be_read(world, sign_in):
    world.member(Role.ADMIN, email=EMAIL)
    wanted = required(world, sign_in)
    secret = base64.b32decode(wanted.enrolment["secret"])
    waiting = str(list(world.database["second_factor_tickets"].find()))
    told = sign_in.by_second_factor(wanted.ticket, world.code(secret=secret), now()).recovery_codes

    stored = waiting + str(list(world.database["members"].find()))

    for one in (*told, *(code.replace("-", "") for code in told), wanted.ticket, wanted.enrolment["secret"]):
        assert one not in stored
    assert repr(secret)[2:-1] not in stored


def test_the_first_sign_in_of_an_invited_member_is_their_acceptance(world, sign_in):
    ada = world.invited(Role.ADMIN, email=EMAIL)
    wanted = required(world, sign_in)
    before = again(world, ada).active

    code = world.code(secret=base64.b32decode(wanted.enrolment["secret"]))
    sign_in.by_second_factor(wanted.ticket, code, now())

    said = [event["type"] for event in world.database["members"].find_one()["outbox"]]
    assert (before, again(world, ada).active) == (False, True)
    assert said == ["member.invited", "member.joined"]


@pytest.mark.parametrize(
    "change", [{"status": "suspended"}, {"status": "suspended", "address": "x"}, {"address": "x"}]
)
def test_who_may_not_come_in_any_more_does_not_by_an_earlier_code(world, sign_in, ada, change):
    ticket = required(world, sign_in).ticket
    world.database["members"].update_one({"_id": ada.id}, {"$set": change})

    refused(sign_in, ticket, world.code())


def test_what_somebody_else_writes_meanwhile_is_kept_and_lets_the_member_in(world, sign_in, ada, monkeypatch):
    ticket, save, raced = required(world, sign_in).ticket, Members.save, []

    def race(store, member, to=None):
        if not raced:
            raced.append(member)
            other = Members(world.database).get(ada.practice_id, ada.id)
            other.display_name = "Ada the Second"
            save(store, other)
        return save(store, member, to)

    monkeypatch.setattr(Members, "save", race)
    tokens = sign_in.by_second_factor(ticket, world.code(), now())

    assert tokens.access_token
    assert again(world, ada).display_name == "Ada the Second"
    assert again(world, ada).second_factor.last_step > 0


@pytest.mark.parametrize("place", [(Members, "save"), (Tickets, "use")])
def test_a_kill_between_the_writes_lets_nobody_in_and_keeps_nobody_out(world, sign_in, ada, place):
    ticket, at = required(world, sign_in).ticket, now()

    with killed(*place):
        sign_in.by_second_factor(ticket, world.code(at), at)

    assert world.database["sign_ins"].count_documents({}) == 0
    if place == (Tickets, "use"):
        refused(sign_in, ticket, world.code(at), at)
    assert sign_in.by_second_factor(ticket, world.code(at + STEP), at + STEP)


def test_a_kill_after_enrolling_leaves_an_authenticator_that_works(world, sign_in):
    world.member(Role.ADMIN, email=EMAIL)
    wanted, at = required(world, sign_in), now()
    secret = base64.b32decode(wanted.enrolment["secret"])

    with killed(Tickets, "use"):
        sign_in.by_second_factor(wanted.ticket, world.code(at, secret), at)

    later = required(world, sign_in)
    assert later.enrolment is None
    assert sign_in.by_second_factor(later.ticket, world.code(at + STEP, secret), at + STEP)


def member(*roles):
    about = {"display_name": "Ada", "email": EMAIL, "address": "a", "language": "en", "timezone": "UTC"}
    ada = Member.join(id="-".join(roles), practice_id="p", roles=set(roles), **about)
    ada.second_factor = SecondFactor(sealed_secret="s", enrolled_at=now(), recovery_codes=[])
    return ada


def test_nobody_resets_their_own_and_only_owners_an_owners():
    owner, admin, clinician = (member(role) for role in (Role.OWNER, Role.ADMIN, Role.CLINICIAN))

    with pytest.raises(NotYourOwn):
        owner.reset_second_factor(owner, [], now())
    with pytest.raises(OnlyOwners):
        owner.reset_second_factor(admin, [], now())
    clinician.reset_second_factor(admin, ["s1"], now())
    admin.reset_second_factor(owner, [], now())

    assert clinician.second_factor is admin.second_factor is None
    assert list(clinician.ended) == ["s1"]
    assert owner.second_factor is not None


def test_a_step_is_never_used_again_nor_an_earlier_one():
    factor = SecondFactor(sealed_secret="s", enrolled_at=now(), recovery_codes=["a", "b"])

    assert [factor.use_step(step) for step in (7, 7, 6, 8)] == [True, False, False, True]
    assert [factor.use_recovery_code(code) for code in ("a", "a", "c")] == [True, False, False]
    assert factor.recovery_codes == ["b"]


def reset(world, http, ada, by, version=None):
    tag = f'"{version or again(world, ada).version}"'
    headers = {**world.bearer(by), "If-Match": tag}
    return http.delete(f"/v1/members/{ada.id}/second-factor", headers=headers)


def test_the_office_resets_it_and_what_it_began_has_ended(world, http, sign_in, ada):
    tokens = world.signed_in(ada)
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    before = http.get("/v1/me", headers=bearer).status_code

    answer = reset(world, http, ada, world.member(Role.ADMIN))

    assert (before, answer.status_code) == (200, 200)
    assert "second_factor" not in str(answer.json)
    assert http.get("/v1/me", headers=bearer).status_code == 401
    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(tokens.refresh_token, now())
    assert required(world, sign_in).enrolment


def comes_in(world, sign_in, ticket):
    try:
        return sign_in.by_second_factor(ticket, world.code(), now())
    except NothingToExchange:
        return None


@pytest.mark.parametrize("decide", ["reset", "suspended"])
def test_who_is_reset_or_suspended_while_they_sign_in_does_not_come_in(world, http, sign_in, ada, decide):
    ticket, admin = required(world, sign_in).ticket, world.member(Role.ADMIN)
    happens = {"reset": lambda: reset(world, http, ada, admin), "suspended": lambda: suspend(world, ada)}

    with before(SignIns, "add", happens[decide]):
        came = comes_in(world, sign_in, ticket)

    assert came is None
    assert SignIns(world.database).ids_of(ada.practice_id, ada.id) == []


def suspend(world, ada):
    world.suspend(again(world, ada))


def test_what_began_while_the_second_factor_was_reset_is_ended_with_the_rest(world, http, ada):
    """It looked at the member before the reset was saved, which had listed what to end before it began."""
    at, sign_ins = now(), SignIns(world.database)
    about = {"practice_id": ada.practice_id, "person_id": ada.id, "kind": "member"}
    late = SignedIn(id=new_id(), began_at=at, last_used_at=at, expires_at=at + MINUTE, **about)
    admin = world.member(Role.ADMIN)

    with before(Members, "save", lambda: sign_ins.add(late, 20)):
        answer = reset(world, http, ada, admin)

    assert list(again(world, ada).ended) == [late.id]
    assert sign_ins.ids_of(ada.practice_id, ada.id) == []
    assert answer.headers["ETag"] == f'"{again(world, ada).version}"'


def test_a_reset_that_was_killed_halfway_is_whole(world, http, sign_in, ada):
    tokens, admin = world.signed_in(ada), world.member(Role.ADMIN)

    with killed(Members, "save", after=True):
        reset(world, http, ada, admin)

    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    assert http.get("/v1/me", headers=bearer).status_code == 401
    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(tokens.refresh_token, now())


def test_a_sign_in_that_began_by_the_one_before_is_not_revived_by_the_next(world, http, sign_in, ada):
    tokens = world.signed_in(ada)
    world.database["sign_ins"].update_many({}, {"$set": {"person_id": "somebody"}})
    reset(world, http, ada, world.member(Role.ADMIN))
    world.database["sign_ins"].update_many({}, {"$set": {"person_id": ada.id}})
    world.signed_in(again(world, ada), now())

    with pytest.raises(NothingToExchange):
        sign_in.by_refresh_token(tokens.refresh_token, now())


def test_who_resets_what_is_refused_plainly(world, http, ada):
    owner, stranger = world.with_factor(world.member(Role.OWNER)), world.another_practice()

    assert reset(world, http, ada, ada).json["type"] == "/problems/not-your-own"
    assert reset(world, http, owner, ada).status_code == 403
    assert reset(world, http, ada, owner, version=99).status_code == 412
    assert reset(world, http, ada, world.member(Role.CLINICIAN), version=99).status_code == 404
    assert reset(world, http, ada, stranger.member(Role.OWNER)).status_code == 404
    headers = world.bearer(owner)
    assert http.delete(f"/v1/members/{ada.id}/second-factor", headers=headers).status_code == 428


def test_a_reset_beside_a_sign_in_does_not_lose_either(world, ada):
    here, there = again(world, ada), again(world, ada)
    there.second_factor.use_step(totp.step_of(now()))
    Members(world.database).save(there)

    here.reset_second_factor(world.member(Role.OWNER), [], now())

    with pytest.raises(StaleVersion):
        Members(world.database).save(here)
