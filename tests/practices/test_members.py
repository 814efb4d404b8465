"""Who works at a practice: the rules of it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.practices.domain.invitations import GOOD_FOR, InvitationExpired, InvitedTooOften
from services.practices.domain.members import (
    CaseloadLeft,
    Member,
    MemberStatus,
    NotAClinician,
    NotASupervisor,
    NotYourself,
    OnlyOwners,
    Role,
    StatusForbids,
)
from services.practices.domain.removals import Removal
from services.practices.events.members import (
    MemberChanged,
    MemberInvited,
    MemberJoined,
    MemberReinstated,
    MemberRemoved,
    MemberSuspended,
)
from services.practices.events.people import PersonContactSet

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATE = {
    "member_id": "m1",
    "roles": ["clinician"],
    "supervises": [],
    "display_name": "Clara",
    "language": "en",
    "timezone": "Europe/Lisbon",
}


def about(id="m1", roles=(Role.CLINICIAN,)):
    return {
        "id": id,
        "practice_id": "p1",
        "display_name": "Clara",
        "email": "clara@example.org",
        "address": "a",
        "roles": set(roles),
        "language": "en",
        "timezone": "Europe/Lisbon",
    }


def member(id="m1", roles=(Role.CLINICIAN,)):
    return Member.join(**about(id, roles))


def invited(roles=(Role.CLINICIAN,)):
    return Member.invited(**about(roles=roles), at=AT)


def admin():
    return member("a1", [Role.ADMIN])


def owner(id="o1"):
    return member(id, [Role.OWNER])


def removal(**plan):
    return Removal(by="a1", at=AT, hand_over=plan)


def suspended():
    clara = member()
    clara.suspend(by=admin())
    return clara


def removed():
    clara = member()
    clara.remove(admin(), removal(), [])
    return clara


def test_joining_tells_roles_and_never_the_address():
    (joined,) = member().events

    assert joined == MemberJoined(**STATE)
    assert "example.org" not in repr(joined)


def test_somebody_invited_is_told_of_and_may_do_nothing_yet():
    clara = invited()

    assert clara.events == [MemberInvited(**STATE)]
    assert (clara.status, clara.active, clara.in_office) == (MemberStatus.INVITED, False, False)
    assert (clara.invitation_due, clara.invited_until) == (AT, AT + GOOD_FOR)


def test_an_admin_invites_a_clinician_into_the_own_practice():
    given = about("m2")
    del given["practice_id"]

    assert admin().invite(**given, at=AT).practice_id == "p1"


def test_only_an_owner_invites_an_owner():
    with pytest.raises(OnlyOwners):
        admin().invite(id="m2", roles={Role.OWNER}, at=AT)


def test_accepting_is_joining_and_happens_once():
    clara = invited()

    clara.accept(AT + HOUR)
    clara.accept(AT + HOUR)

    assert clara.events[1:] == [MemberJoined(**STATE)]
    assert (clara.active, clara.invitation_due, clara.invited_until) == (True, None, None)


def test_an_invitation_is_good_for_fourteen_days():
    clara = invited()

    assert clara.may_sign_in(AT + GOOD_FOR - HOUR)
    assert not clara.may_sign_in(AT + GOOD_FOR)
    with pytest.raises(InvitationExpired):
        clara.accept(AT + GOOD_FOR)


def test_another_letter_renews_the_invitation():
    clara = invited()

    clara.invite_again(admin(), AT + GOOD_FOR)
    clara.accept(AT + GOOD_FOR + HOUR)

    assert clara.active
    assert clara.invitation.number == 2


def test_nobody_gets_more_than_five_letters_in_a_day():
    clara = invited()
    for hours in range(1, 5):
        clara.invite_again(admin(), AT + hours * HOUR)

    with pytest.raises(InvitedTooOften):
        clara.invite_again(admin(), AT + 23 * HOUR)
    clara.invite_again(admin(), AT + 24 * HOUR)
    with pytest.raises(InvitedTooOften):
        clara.invite_again(admin(), AT + 24 * HOUR)

    assert clara.invitation.number == 6


@pytest.mark.parametrize("clara", [member, suspended, removed], ids=lambda make: make.__name__)
def test_only_somebody_invited_gets_another_invitation(clara):
    with pytest.raises(StatusForbids):
        clara().invite_again(admin(), AT)


@pytest.mark.parametrize("clara", [suspended, removed], ids=lambda make: make.__name__)
def test_who_is_gone_neither_accepts_nor_signs_in(clara):
    assert not clara().may_sign_in(AT)
    with pytest.raises(StatusForbids):
        clara().accept(AT)


def test_a_suspension_is_told_once_and_can_be_taken_back():
    clara = member()

    for _ in range(2):
        clara.suspend(by=admin())
    gone = clara.active
    for _ in range(2):
        clara.reinstate(by=admin())

    assert (gone, clara.active) == (False, True)
    assert clara.events[1:] == [MemberSuspended("m1"), MemberReinstated("m1")]


@pytest.mark.parametrize("clara", [invited, removed], ids=lambda make: make.__name__)
def test_only_an_active_member_is_suspended_and_only_a_suspended_one_reinstated(clara):
    for act in ("suspend", "reinstate"):
        with pytest.raises(StatusForbids):
            getattr(clara(), act)(by=admin())


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_nobody_takes_their_own_place_away(role):
    me = member(roles=[role])

    with pytest.raises(NotYourself):
        me.suspend(by=me)
    with pytest.raises(NotYourself):
        me.remove(me, removal(), [])


def test_an_owner_stays_one_until_another_owner_decides_otherwise():
    me = owner()

    with pytest.raises(NotYourself):
        me.change(me, roles={Role.ADMIN})
    me.change(owner("o2"), roles={Role.ADMIN})

    assert me.roles == {Role.ADMIN}


@pytest.mark.parametrize(
    "decide",
    [
        lambda olivia, by: olivia.suspend(by),
        lambda olivia, by: olivia.reinstate(by),
        lambda olivia, by: olivia.remove(by, removal(), []),
        lambda olivia, by: olivia.change(by, roles={Role.ADMIN}),
        lambda olivia, by: olivia.change(by, roles={Role.OWNER, Role.SUPERVISOR}),
        lambda olivia, by: olivia.change(by, supervised=[member()]),
        lambda olivia, by: olivia.invite_again(by, AT),
    ],
)
def test_about_an_owner_only_owners_decide(decide):
    fired = owner("o2")
    fired.suspend(by=owner())

    for by in (admin(), fired):
        with pytest.raises(OnlyOwners):
            decide(owner("o3"), by)


def test_of_an_owner_who_supervises_only_owners_say_whom():
    olivia = member("o3", [Role.OWNER, Role.SUPERVISOR])

    with pytest.raises(OnlyOwners):
        olivia.change(admin(), supervised=[member()])
    olivia.change(owner(), supervised=[member()])
    with pytest.raises(OnlyOwners):
        olivia.change(admin(), supervised=[])

    assert olivia.supervises == {"m1"}


@pytest.mark.parametrize(
    "more",
    [
        {"roles": {Role.ADMIN, Role.SUPERVISOR}},
        {"roles": {Role.ADMIN, Role.SUPERVISOR}, "supervised": [member("m2")]},
        {"roles": {Role.ADMIN, Role.CLINICIAN}},
        {"supervised": [member("m2")]},
    ],
)
def test_who_is_no_owner_gives_themselves_neither_role_nor_anybody_to_supervise(more):
    me = member("a1", [Role.ADMIN])

    with pytest.raises(NotYourself):
        me.change(admin(), **more)

    assert (me.roles, me.supervises) == ({Role.ADMIN}, set())


def test_whom_they_supervise_an_admin_does_not_add_to_and_may_lessen():
    me = member("a1", [Role.ADMIN, Role.SUPERVISOR])
    me.change(owner(), supervised=[member("m2"), member("m3")])

    with pytest.raises(NotYourself):
        me.change(admin(), supervised=[member("m2"), member("m4")])
    me.change(admin(), supervised=[member("m2")])
    me.change(admin(), roles={Role.ADMIN})

    assert (me.roles, me.supervises) == ({Role.ADMIN}, set())


def test_an_admin_makes_nobody_an_owner():
    with pytest.raises(OnlyOwners):
        member().change(admin(), roles={Role.CLINICIAN, Role.OWNER})


def test_a_change_tells_all_that_it_leaves():
    clara, daniel = member(), member("m2")

    clara.change(admin(), roles={Role.SUPERVISOR, Role.CLINICIAN}, supervised=[daniel])

    roles = {"roles": ["clinician", "supervisor"], "supervises": ["m2"]}
    assert clara.events[1:] == [MemberChanged(**(STATE | roles), active=True)]
    assert vars(clara.snapshot()) == vars(clara.events[-1]) | {"ended": {}}


def test_what_changes_nothing_is_not_told():
    clara = member()

    clara.change(admin(), roles={Role.CLINICIAN}, supervised=[])

    assert len(clara.events) == 1


def test_who_is_no_supervisor_any_more_supervises_nobody():
    susan = member(roles=[Role.SUPERVISOR])
    susan.change(admin(), supervised=[member("m2")])

    susan.change(admin(), roles={Role.CLINICIAN})

    assert susan.supervises == set()


def test_only_a_supervisor_supervises():
    with pytest.raises(NotASupervisor):
        member().change(admin(), supervised=[member("m2")])


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        (lambda: member("m2", [Role.ADMIN]), NotAClinician),
        (removed, StatusForbids),
        (lambda: member("s1"), NotYourself),
    ],
)
def test_only_clinicians_of_the_practice_are_supervised(other, refusal):
    susan = member("s1", [Role.SUPERVISOR, Role.CLINICIAN])

    with pytest.raises(refusal):
        susan.change(admin(), supervised=[other()])


def test_a_clinician_with_open_episodes_stays_a_clinician():
    clara = member()

    with pytest.raises(CaseloadLeft):
        clara.change(admin(), roles={Role.ADMIN}, caseload=["e1"])
    clara.change(admin(), roles={Role.ADMIN, Role.CLINICIAN}, caseload=["e1"])

    assert clara.cares


def test_who_is_removed_leaves_no_address_behind():
    clara = member()
    clara.change_address("c@example.org", "c", "l1", AT)

    clara.remove(admin(), removal(), [])

    assert clara.status is MemberStatus.REMOVED
    assert (clara.email, clara.address) == ("", "m1")
    assert (clara.former_emails, clara.letters_due) == ({}, None)
    assert clara.events[-2:] == [MemberRemoved("m1"), PersonContactSet("m1", None)]


def test_who_is_removed_stays_so():
    for decide in (
        lambda clara: clara.remove(admin(), removal(), []),
        lambda clara: clara.change(admin(), roles={Role.ADMIN}),
    ):
        with pytest.raises(StatusForbids):
            decide(removed())


def test_somebody_invited_can_be_removed_and_gets_no_letter_any_more():
    clara = invited()

    clara.remove(admin(), removal(), [])

    assert clara.invitation_due is None


def test_an_address_is_seen_by_the_office_and_oneself():
    clara, daniel = member(), member("m2")

    assert clara.as_seen_by(admin()).email == "clara@example.org"
    assert clara.as_seen_by(clara).email == "clara@example.org"
    assert clara.as_seen_by(daniel).email == ""
