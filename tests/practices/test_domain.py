"""The rules of practices."""

from datetime import UTC, datetime

import pytest

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import App, Grant, GrantStands
from services.practices.domain.clients import AdulthoodNotDeclared, Client, Consent, ConsentNotFound
from services.practices.domain.episodes import Episode, NotYourEpisode
from services.practices.domain.members import Member, NotAClinician, Role
from services.practices.domain.practices import CrisisTextMissing, LanguageNotOffered, Practice
from services.practices.events.apps import AppRegistered, GrantGiven, GrantRevoked
from services.practices.events.clients import ClientConsented, ClientConsentWithdrawn, ClientEnrolled
from services.practices.events.episodes import EpisodeStarted, EpisodeTransferred

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, tzinfo=UTC)


def practice(**about):
    given = {
        "name": "Harbour",
        "timezone": "Europe/Lisbon",
        "locale": "pt",
        "languages": ["pt", "en"],
        "crisis_texts": {"pt": "Ligue 112.", "en": "Call 112."},
    }
    return Practice.open(id="p1", **(given | about))


def member(id="m1", roles=(Role.CLINICIAN,)):
    return Member.join(
        id=id,
        practice_id="p1",
        display_name="Clara",
        email="clara@example.org",
        address="a",
        roles=set(roles),
        language="en",
        timezone="Europe/Lisbon",
    )


def client(at=practice, **about):
    given = {
        "id": "c1",
        "display_name": "Maya",
        "email": "maya@example.org",
        "address": "b",
        "language": "en",
        "timezone": "Europe/Lisbon",
        "enrolled_by": "m1",
        "adult": True,
        "at": AT,
    }
    return Client.enrol(at(), **(given | about))


def app():
    return App.register(id="app1", practice_id="platform", name="Demo EHR", secret="s3cret")


def grant(giving="k1", at=AT, scopes=("goal.read",)):
    return Grant.give(
        id="g1",
        practice_id="p1",
        app_id="app1",
        event_types=["goal.agreed"],
        scopes=list(scopes),
        given_at=at,
        givings={giving: None},
    )


def last(aggregate):
    return aggregate.events[-1]


def test_addresses_that_only_look_alike_are_two():
    assert look_up("straße@example.org", b"key") != look_up("strasse@example.org", b"key")


def test_enrolling_tells_a_name_and_never_the_address():
    enrolled = last(client())

    assert enrolled == ClientEnrolled("c1", "Maya", "en", "Europe/Lisbon")


@pytest.mark.parametrize("texts", [{}, {"en": "Call 112."}, {"en": "Call 112.", "pt": " "}])
def test_without_a_crisis_text_in_each_language_nobody_is_enrolled(texts):
    with pytest.raises(CrisisTextMissing):
        client(at=lambda: practice(crisis_texts=texts))


def test_a_client_has_a_language_that_the_practice_offers():
    with pytest.raises(LanguageNotOffered):
        client(language="de")


def test_only_declared_adults_are_enrolled():
    with pytest.raises(AdulthoodNotDeclared):
        client(adult=False)


def test_a_consent_given_twice_keeps_its_first_time():
    maya = client()

    maya.consent_to(app(), AT)
    maya.consent_to(app(), LATER)

    assert maya.consents == {"app1": Consent(AT)}
    assert maya.events[1:] == [ClientConsented("c1", "app1", AT)]


def test_a_consent_is_withdrawn_and_can_be_given_again():
    maya = client()

    maya.consent_to(app(), AT)
    maya.withdraw_consent_to("app1", LATER)
    assert maya.consents == {"app1": Consent(AT, LATER)}
    maya.consent_to(app(), LATER)

    assert maya.consents == {"app1": Consent(LATER)}
    assert maya.events[2] == ClientConsentWithdrawn("c1", "app1")


def test_what_was_not_consented_to_cannot_be_withdrawn():
    with pytest.raises(ConsentNotFound):
        client().withdraw_consent_to("app1", AT)


def start(clinician, by):
    return Episode.start(id="e1", client=client(), clinician=clinician, by=by, at=AT)


def test_a_clinician_starts_an_episode_of_their_own():
    clara = member()

    assert last(start(clara, by=clara)) == EpisodeStarted("e1", "c1", "m1", AT)


def test_a_clinician_starts_no_episode_for_a_colleague():
    with pytest.raises(NotYourEpisode):
        start(member("m2"), by=member())


def test_an_admin_starts_an_episode_for_a_clinician():
    assert start(member("m2"), by=member(roles=[Role.ADMIN])).clinician_id == "m2"


def test_who_is_no_clinician_has_no_episode():
    owner = member(roles=[Role.OWNER])

    with pytest.raises(NotAClinician):
        start(owner, by=owner)


def test_a_suspended_clinician_has_no_new_episode():
    clara, admin = member(), member("m2", [Role.ADMIN])

    clara.suspend(by=admin)

    with pytest.raises(NotAClinician):
        start(clara, by=admin)


def test_a_transfer_names_both_clinicians_and_is_told_once():
    clara, daniel = member(), member("m2")
    episode = start(clara, by=clara)

    episode.transfer(daniel, by=member("m3", [Role.ADMIN]), at=LATER)
    episode.transfer(daniel, by=member("m3", [Role.ADMIN]), at=LATER)

    assert episode.clinician_id == "m2"
    assert episode.events[1:] == [EpisodeTransferred("e1", "c1", "m2", "m1", LATER)]


def test_an_episode_is_transferred_to_a_clinician_only():
    clara = member()

    with pytest.raises(NotAClinician):
        start(clara, by=clara).transfer(member("m2", [Role.ADMIN]), by=clara, at=LATER)


def test_an_app_keeps_a_hash_of_its_secret_only():
    registered = app()

    assert registered.knows("s3cret")
    assert not registered.knows("S3cret")
    assert "s3cret" not in repr(registered)
    assert last(registered) == AppRegistered("app1", "Demo EHR")


def test_a_grant_revoked_can_be_given_again_with_other_scopes():
    given = grant()

    given.revoke(LATER)
    given.give_again(grant("k2", LATER, scopes=["goal.list"]))

    assert given.stands
    assert given.events == [
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.read"], AT, {}),
        GrantRevoked("g1", "app1"),
        GrantGiven("g1", "app1", ["goal.agreed"], ["goal.list"], LATER, {}),
    ]


def test_a_grant_that_stands_is_not_given_again():
    with pytest.raises(GrantStands):
        grant().give_again(grant("k2"))


def test_a_revocation_is_told_once():
    given = grant()

    given.revoke(AT)
    given.revoke(LATER)

    assert given.revoked_at == AT
    assert len(given.events) == 2


@pytest.mark.parametrize("spelled", ["Maya@Example.org", " maya@example.org ", "MAYA@EXAMPLE.ORG"])
def test_spellings_of_one_address_are_found_alike(spelled):
    assert look_up(spelled, b"key") == look_up("maya@example.org", b"key")


def test_an_address_is_not_found_without_the_key():
    assert look_up("maya@example.org", b"key") != look_up("maya@example.org", b"yek")
