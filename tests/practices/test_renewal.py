"""After a key was changed: what was made with it is made anew, for everybody whose record can be read."""

import base64
import sys

import pytest

from scripts.parts import public_key
from services.practices.app import service
from services.practices.commands import renew_contacts, renew_look_ups
from services.practices.domain.addresses import look_up_external
from services.practices.domain.members import Role
from services.practices.domain.removals import Removal
from services.practices.sign_in import NothingToExchange
from services.practices.store.people import Clients, Members
from services.practices.tokens import make_first
from shared.clock import now
from shared.settings import Settings, SettingsRefused
from tests.practices.signed_in import again
from tests.practices.test_contacts import opened

NEW_KEY = base64.b64encode(bytes(range(32))).decode()
NEW_CONTACT_KEY = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture
def lose_secret_key(run, world, monkeypatch):
    """Practices gets another one, and in the end without the signing keys that lay under the one before."""

    def lose(signing_keys=True):
        monkeypatch.setenv("TANDEM_SECRET_KEY", NEW_KEY)
        world.settings = Settings.read("practices")
        if signing_keys:
            world.database["signing_keys"].delete_many({})
            make_first(world.database, world.settings)

    return lose


def remove(world, member, by):
    member.remove(by=by, removal=Removal(by=by.id, at=now(), hand_over={}), caseload=[])
    return Members(world.database).save(member)


def test_people_sign_in_again_when_their_look_ups_are_made_anew(run, world, lose_secret_key):
    maya = world.client(email="maya@example.org")
    ada = world.with_factor(world.member(Role.CLINICIAN, email="ada@example.org"))
    lose_secret_key()
    with pytest.raises(NothingToExchange):
        world.signed_in(maya)

    _, said = run(renew_look_ups)
    _, repeated = run(renew_look_ups)

    assert (said, repeated) == ({"renewed": 2}, {"renewed": 0})
    assert world.signed_in(again(world, maya)).access_token
    # By the mailed code alone, since nobody can check the authenticator that she had.
    assert world.signed_in(again(world, ada)).recovery_codes
    assert [person.version for person in (again(world, maya), again(world, ada))] == [2, 4]


def test_an_app_finds_its_client_again(run, world, lose_secret_key):
    maya, app = world.client(), world.app()
    maya.link(app, "MRN-7", world.settings.key("external_id"))
    Clients(world.database).save(maya)
    lose_secret_key()

    run(renew_look_ups)

    look_up = look_up_external(app.id, "MRN-7", world.settings.key("external_id"))
    assert Clients(world.database).find_by(world.practice.id, external_look_ups=look_up).id == maya.id


def test_no_event_is_told_of_a_look_up(run, world, lose_secret_key):
    world.client()
    before = world.told("clients")
    lose_secret_key()

    run(renew_look_ups)

    assert world.told("clients") == before


def test_who_was_removed_stays_without_look_up_and_contact(run, world, olivia, clara, lose_secret_key):
    remove(world, clara, by=olivia)
    lose_secret_key()

    for command in (renew_look_ups, renew_contacts):
        run(command)

    member = again(world, clara)
    assert (member.email, member.address, member.contact) == ("", clara.id, None)


def test_before_prepare_has_made_a_signing_key_nobody_is_touched(run, world):
    ada = world.with_factor(world.member(Role.CLINICIAN))
    world.database["signing_keys"].delete_many({})

    result, _ = run(renew_look_ups)

    assert "run prepare first" in str(result.exception)
    assert again(world, ada) == ada


def test_a_secret_key_that_does_not_open_the_signing_keys_touches_nobody(run, world, lose_secret_key):
    ada = world.with_factor(world.member(Role.CLINICIAN))
    lose_secret_key(signing_keys=False)

    result, _ = run(renew_look_ups)

    assert isinstance(result.exception, SettingsRefused)
    assert "renew-look-ups" in str(result.exception)
    assert again(world, ada) == ada


@pytest.mark.parametrize("command", [renew_look_ups, renew_contacts])
def test_who_cannot_be_read_holds_up_nobody(run, world, command, lose_secret_key, caplog):
    unread, read = sorted((world.client(), world.client()), key=lambda one: one.id)
    world.database["clients"].update_one({"_id": unread.id}, {"$set": {"locked_record": b"changed"}})
    lose_secret_key()

    result, _ = run(command)

    assert result.exit_code == 1
    assert "1 people were renewed. 1 could not be" in result.output
    assert again(world, read).version == read.version + 1
    told = [record for record in caplog.records if record.message == "Person not renewed"]
    assert [(vars(one)["id"], vars(one)["error"]) for one in told] == [(unread.id, "NotAsStored")]


def test_contacts_are_sealed_anew_and_told(run, world, monkeypatch):
    maya, ada = world.client(email="maya@example.org"), world.member(email="ada@example.org")
    monkeypatch.setenv("TANDEM_CONTACT_PUBLIC_KEY", public_key(NEW_CONTACT_KEY))

    _, said = run(renew_contacts)

    assert said == {"renewed": 2}
    for collection, person in (("clients", maya), ("members", ada)):
        contact = again(world, person).contact
        assert contact
        assert opened(contact, NEW_CONTACT_KEY)["email"] == person.email
        assert world.told(collection)[-1] == "person.contact_set"
        last = world.database[collection].find_one()["outbox"][-1]
        assert last["data"] == {"person_id": person.id, "contact": contact}


def test_both_are_commands_of_the_service(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["practices", "--help"])

    with pytest.raises(SystemExit):
        service.run()

    said = capsys.readouterr().out
    assert "renew-look-ups" in said
    assert "renew-contacts" in said
