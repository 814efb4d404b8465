"""The rules about clients: enrolled, invited, come in; what they change; what apps may hear of."""

from datetime import timedelta

import pytest

from services.practices.domain.addresses import look_up_external
from services.practices.domain.clients import (
    AdulthoodNotDeclared,
    ClientStatus,
    EmergencyContact,
    ForThePractice,
    JoinedAlready,
)
from services.practices.domain.consents import (
    MOST,
    Consent,
    ConsentedOften,
    ConsentNotFound,
    Kind,
)
from services.practices.domain.invitations import GOOD_FOR, LETTERS, InvitationExpired, InvitedTooOften
from services.practices.domain.practices import CrisisTextMissing, LanguageNotOffered
from services.practices.events.clients import (
    ClientChanged,
    ClientConsented,
    ClientConsentWithdrawn,
    ClientEnrolled,
    ClientJoined,
)
from shared.security.policy import POLICY
from tests.practices.made import AT, LATER, app, client, last, practice, said

MINUTE = timedelta(minutes=1)
KEY = b"k" * 32


def joined():
    maya = client()
    maya.invite(practice(), AT)
    maya.accept(AT)
    return maya


def test_enrolling_tells_a_name_and_never_the_address():
    enrolled = last(client(phone="+351 123", usual_place="At home"))

    assert enrolled == ClientEnrolled("c1", "Maya", "en", "Europe/Lisbon")


def test_only_declared_adults_are_enrolled():
    with pytest.raises(AdulthoodNotDeclared):
        client(adult=False)


def test_a_client_has_a_language_that_the_practice_offers():
    with pytest.raises(LanguageNotOffered):
        client(language="de")


@pytest.mark.parametrize("texts", [{}, {"en": "Call 112."}, {"en": "Call 112.", "pt": " "}])
def test_without_a_crisis_text_in_each_language_nobody_is_invited(texts):
    unready = practice(crisis_texts=texts)
    maya = client(unready)

    with pytest.raises(CrisisTextMissing, match="until then no client can be invited"):
        maya.invite(unready, AT)

    assert (maya.status, maya.invitation, unready.warning is None) == (ClientStatus.ENROLLED, None, False)


def test_who_is_only_enrolled_cannot_come_in():
    maya = client()

    assert not maya.may_sign_in(AT)
    with pytest.raises(InvitationExpired):
        maya.accept(AT)


def test_an_invitation_waits_to_be_sent_and_is_good_for_a_fortnight():
    maya = client()

    maya.invite(practice(), AT)

    assert (maya.status, maya.invitation_due) == (ClientStatus.INVITED, AT)
    assert maya.may_sign_in(AT + GOOD_FOR - MINUTE)
    assert not maya.may_sign_in(AT + GOOD_FOR)
    with pytest.raises(InvitationExpired):
        maya.accept(AT + GOOD_FOR)


def test_an_invitation_sent_again_is_good_for_another_fortnight():
    maya = client()
    maya.invite(practice(), AT)

    maya.invite(practice(), LATER)

    assert (maya.invitation.number, maya.invitation_due) == (2, LATER)
    maya.accept(LATER + GOOD_FOR - MINUTE)
    assert maya.active


def test_nobody_is_sent_letters_without_end():
    maya = client()
    for minute in range(LETTERS):
        maya.invite(practice(), AT + minute * MINUTE)

    with pytest.raises(InvitedTooOften):
        maya.invite(practice(), AT + LETTERS * MINUTE)


def test_coming_in_is_told_once_and_stops_the_letter():
    maya = client()
    maya.invite(practice(), AT)

    maya.accept(LATER)
    maya.accept(LATER + MINUTE)

    assert (maya.status, maya.invitation_due) == (ClientStatus.ACTIVE, None)
    assert maya.events[1:] == [ClientJoined("c1", "m1", LATER)]


def test_who_has_come_in_needs_no_invitation():
    with pytest.raises(JoinedAlready):
        joined().invite(practice(), LATER)


def test_only_what_others_must_know_of_a_change_is_told():
    maya = client()

    maya.change(practice(), "m1", pronouns="she/her", phone="+351 12345")
    maya.change(practice(), "m1", display_name="Maya M", language="pt")
    maya.change(practice(), "m1", language="pt")

    assert maya.events[1:] == [ClientChanged("c1", "Maya M", "pt", "Europe/Lisbon")]
    assert (maya.pronouns, maya.phone) == ("she/her", "+351 12345")


def test_a_client_changes_how_they_are_reached_and_not_who_they_are():
    maya, contact = joined(), EmergencyContact("Rui", "+351 999")

    maya.change(practice(), maya.id, emergency_contact=contact, usual_place="At home", timezone="UTC")

    assert (maya.emergency_contact, maya.usual_place, maya.timezone) == (contact, "At home", "UTC")
    with pytest.raises(ForThePractice):
        maya.change(practice(), maya.id, display_name="Somebody else")


def test_nobody_chooses_a_language_that_is_not_offered():
    with pytest.raises(LanguageNotOffered):
        joined().change(practice(), "c1", language="de")


def test_a_consent_given_twice_keeps_its_first_time():
    maya = client()

    maya.consent_to(app(), AT, ["goal"])
    maya.consent_to(app(), LATER, ["goal"])

    assert maya.consents == [Consent("app1", ["goal"], AT)]
    assert maya.events[1:] == [ClientConsented("c1", "app1", AT, ["goal"])]


def test_a_consent_covers_what_it_names():
    maya = client()

    maya.consent_to(app(), AT, [Kind.GOAL])

    assert maya.consents_to("app1")
    assert maya.consents_to("app1", "goal")
    assert not maya.consents_to("app1", "episode")
    assert not maya.consents_to("app2", "goal")


def test_a_consent_to_something_else_takes_the_place_of_the_one_before():
    maya = client()

    maya.consent_to(app(), AT, ["goal", "episode"])
    maya.consent_to(app(), LATER, ["session"])

    assert maya.consents == [
        Consent("app1", ["episode", "goal"], AT, withdrawn_at=LATER),
        Consent("app1", ["session"], LATER),
    ]
    assert not maya.consents_to("app1", "goal")


def test_a_consent_is_withdrawn_and_given_again_and_all_of_it_stays_on_record():
    maya = client()

    maya.consent_to(app(), AT, ["goal"])
    maya.withdraw_consent_to("app1", LATER)
    assert not maya.consents_to("app1")
    maya.consent_to(app(), LATER, ["goal"])

    assert maya.consents == [
        Consent("app1", ["goal"], AT, LATER),
        Consent("app1", ["goal"], LATER),
    ]
    assert maya.events[2] == ClientConsentWithdrawn("c1", "app1")


def test_what_was_not_consented_to_cannot_be_withdrawn():
    maya = client()

    with pytest.raises(ConsentNotFound):
        maya.withdraw_consent_to("app1", AT)

    maya.consent_to(app(), AT)
    maya.withdraw_consent_to("app1", AT)
    with pytest.raises(ConsentNotFound):
        maya.withdraw_consent_to("app1", AT)


def test_the_record_of_consents_has_an_end_and_withdrawing_has_none():
    maya = client()
    for _ in range(MOST - 1):
        maya.consent_to(app(), AT)
        maya.withdraw_consent_to("app1", AT)
    maya.consent_to(app(), AT)

    with pytest.raises(ConsentedOften):
        maya.consent_to(app("app2"), AT)

    maya.withdraw_consent_to("app1", AT)


def test_a_snapshot_tells_each_apps_last_consent():
    maya = client()
    maya.consent_to(app(), AT, ["goal"])
    maya.consent_to(app("app2"), AT, ["session"])
    maya.withdraw_consent_to("app1", LATER)

    told = maya.snapshot()

    assert told.consents == {"app1": AT, "app2": AT}
    assert told.withdrawn == ["app1"]
    assert told.covers == {"app1": ["goal"], "app2": ["session"]}


def test_a_consent_can_cover_whatever_an_app_may_be_granted():
    granted = {action.partition(".")[0] for action, row in POLICY.items() if ("app", "granted") in row}

    assert granted <= set(Kind)


def test_an_app_has_one_id_for_a_client_and_sees_no_other_apps():
    maya = client()

    maya.link(app(), "x-1", KEY)
    maya.link(app("app2"), "y-1", KEY)
    maya.link(app(), "x-2", KEY)

    assert {one.app_id: one.external_id for one in maya.external_ids} == {"app1": "x-2", "app2": "y-1"}
    assert [one.external_id for one in maya.as_seen_by_app("app1").external_ids] == ["x-2"]
    maya.unlink("app1", KEY)
    assert [one.app_id for one in maya.external_ids] == ["app2"]
    assert maya.external_look_ups == [look_up_external("app2", "y-1", KEY)]
    assert said(maya) == ["client.enrolled"]
