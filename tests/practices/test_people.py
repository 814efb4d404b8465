"""The rules that members and clients share."""

from datetime import UTC, datetime, timedelta

import pytest

from services.practices.domain.clients import Client, ClientStatus
from services.practices.domain.members import Member, MemberStatus, Role, StatusForbids
from services.practices.domain.people import OUTLIVED
from services.practices.domain.second_factors import SecondFactor
from services.practices.events.clients import ClientJoined, ClientSignedOut
from services.practices.events.members import MemberChanged, MemberJoined, MemberSignedOut
from services.practices.tokens import LIFETIME
from shared.security import tokens

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
ABOUT = {
    "id": "p1",
    "practice_id": "elm",
    "display_name": "Ada",
    "email": "ada@example.org",
    "address": "a",
    "language": "en",
    "timezone": "Europe/Lisbon",
}


def member(**about):
    return Member(**ABOUT, roles={Role.ADMIN}, **about)


def client(**about):
    return Client(**ABOUT, adult_declared_at=AT, enrolled_by="m1", **{"status": ClientStatus.ACTIVE} | about)


BOTH = pytest.mark.parametrize("made", [member, client])


def test_the_first_sign_in_of_who_was_invited_is_said_once():
    ada, maya = member(status=MemberStatus.INVITED), client(status=ClientStatus.INVITED)
    ada.ask_for_letter(AT)
    maya.ask_for_letter(AT)

    for _ in range(2):
        ada.accept(AT)
        maya.accept(AT)

    assert ada.active
    assert maya.active
    assert ada.events == [MemberJoined("p1", ["admin"], [], "Ada", "en", "Europe/Lisbon")]
    assert maya.events == [ClientJoined("p1", "m1", AT)]


def test_a_suspended_member_does_not_accept():
    ada = member(status=MemberStatus.SUSPENDED)

    with pytest.raises(StatusForbids):
        ada.accept(AT)

    assert not ada.active
    assert not ada.may_sign_in(AT)


@BOTH
def test_an_end_is_said_with_all_of_the_last_minutes_and_once(made):
    someone = made()

    someone.end_sign_ins(["s1"], AT)
    someone.end_sign_ins(["s1", "s2"], AT + timedelta(minutes=1))
    someone.end_sign_ins(["s1"], AT + timedelta(minutes=2))
    someone.end_sign_ins([], AT + timedelta(minutes=3))

    both = {"s1": AT, "s2": AT + timedelta(minutes=1)}
    said = MemberSignedOut if made is member else ClientSignedOut
    assert someone.events == [said("p1", {"s1": AT}), said("p1", both)]
    assert someone.ended == someone.snapshot().ended == both


@BOTH
def test_an_end_is_remembered_for_longer_than_any_access_token_lasts(made):
    someone = made()
    someone.end_sign_ins(["s1"], AT)

    someone.end_sign_ins(["s2"], AT + OUTLIVED - timedelta(seconds=1))
    both = set(someone.ended)
    someone.end_sign_ins(["s3"], AT + OUTLIVED)

    assert both == {"s1", "s2"}
    assert set(someone.ended) == {"s2", "s3"}
    assert OUTLIVED > timedelta(seconds=tokens.LIFETIME + tokens.SKEW) > LIFETIME


@BOTH
def test_a_sign_in_stays_until_it_or_the_right_to_it_ends(made):
    someone = made()
    if made is member:
        someone.second_factor = SecondFactor(sealed_secret="s", enrolled_at=AT, recovery_codes=[])

    someone.end_sign_ins(["s1"], AT)

    assert [someone.stays(id, AT) for id in ("s1", "s2")] == [False, True]


def test_a_members_sign_in_does_not_outlive_the_second_factor_that_began_it():
    ada = member()
    without = ada.stays("s1", AT)

    ada.second_factor = SecondFactor(sealed_secret="s", enrolled_at=AT, recovery_codes=[])

    assert not without
    assert ada.stays("s1", AT)
    assert not ada.stays("s1", AT - timedelta(milliseconds=1))


@BOTH
def test_each_address_that_was_left_is_told_and_forgotten_when_it_was(made):
    someone = made()
    someone.change_address("b@example.org", "b", "l1", AT)
    someone.change_address("c@example.org", "c", "l2", AT)
    someone.change_address("C@example.org", "c", "l3", AT)
    both = someone.former_emails

    someone.letters_sent(["l1"])
    one, due = someone.former_emails, someone.letters_due
    someone.letters_sent(["l2"])

    assert both == {"l1": "ada@example.org", "l2": "b@example.org"}
    assert (one, due) == ({"l2": "b@example.org"}, AT)
    assert (someone.former_emails, someone.letters_due) == ({}, None)
    assert (someone.email, someone.address) == ("C@example.org", "c")


@BOTH
def test_whoever_comes_back_to_an_address_is_not_told_that_it_is_theirs_no_more(made):
    someone = made()
    someone.change_address("b@example.org", "b", "l1", AT)

    someone.change_address("Ada@example.org", "a", "l2", AT)

    assert someone.former_emails == {"l2": "b@example.org"}


def test_a_member_introduces_themselves_and_it_is_said_once():
    ada = member()

    ada.introduce(language="en")
    ada.introduce(display_name="Ada L", language="pt")

    assert ada.events == [MemberChanged("p1", ["admin"], [], "Ada L", "pt", "Europe/Lisbon", active=True)]
