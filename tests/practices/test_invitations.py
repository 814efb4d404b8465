"""Invitations by mail, to a real SMTP server."""

import dataclasses
import threading
from datetime import timedelta

import pytest

from services.practices.domain.members import Role
from services.practices.domain.removals import Removal
from services.practices.mailer import send_due, send_letters
from services.practices.store.people import Clients, Members
from shared.clock import now
from shared.messaging.metrics import KEEPING
from shared.web import remembered
from tests.figures import Figures
from tests.practices.test_mailer import NEVER, lease, mailbox, reachable  # noqa: F401  (fixtures)


@pytest.fixture
def send(world, reachable, lease):  # noqa: F811
    return lambda: send_due(world.database, reachable, lease, NEVER)


def waiting(world, at=None):
    at = at or now() + timedelta(days=1)
    return [due.id for store in (Members, Clients) for due in store(world.database).due("invitation_due", at)]


def invited_client(world, email):
    client = world.client(email=email)
    client.ask_for_letter(now())
    return Clients(world.database).save(client)


@pytest.mark.parametrize("invite", [lambda w, e: w.invited(Role.CLINICIAN, email=e), invited_client])
def test_who_is_invited_gets_a_letter_that_says_where_to_sign_in(world, mailbox, send, invite):  # noqa: F811
    invite(world, "noa@example.org")

    send()

    ((recipients, mail),) = mailbox.mails
    assert recipients == ["noa@example.org"]
    assert "https://practices.test" in mail.get_content().split()
    assert waiting(world) == []


def test_a_letter_says_nothing_of_what_it_is_about(world, mailbox, reachable, lease):  # noqa: F811
    world.invited(Role.CLINICIAN)
    settings = dataclasses.replace(reachable, web_url="https://start.example")

    send_due(world.database, settings, lease, NEVER)

    ((_, mail),) = mailbox.mails
    assert (mail["Subject"], mail["From"]) == ("You are invited", "hello@mail.test")
    assert "https://start.example" in mail.get_content()
    told = str(mail).lower()
    words = ("tandem", "practice", "therap", "clinic", "client", "health", "harbour", "somebody", "member")
    assert not [word for word in words if word in told]


def test_a_letter_is_sent_once_and_changes_no_version(world, mailbox, send):  # noqa: F811
    noa = world.invited(Role.CLINICIAN)

    send()
    send()

    assert len(mailbox.mails) == 1
    assert Members(world.database).get(world.practice.id, noa.id).version == 1


def test_a_repeat_after_a_kill_has_the_same_message_id_and_another_letter_a_new_one(
    world,
    mailbox,  # noqa: F811
    send,
    monkeypatch,
):
    noa, ada = world.invited(Role.CLINICIAN), world.member(Role.ADMIN)

    with monkeypatch.context() as killed:
        killed.setattr(Members, "settle", lambda *_: None)
        send()
    send()
    noa = Members(world.database).get(world.practice.id, noa.id)
    noa.invite_again(ada, now())
    Members(world.database).save(noa)
    send()

    first, repeat, another = (mail["Message-ID"] for _, mail in mailbox.mails)
    assert first == repeat != another


def test_a_letter_asked_for_while_one_is_sent_stays_due(world, mailbox, send):  # noqa: F811
    noa, ada = world.invited(Role.CLINICIAN), world.member(Role.ADMIN)
    members = Members(world.database)

    def another():
        found = members.get(world.practice.id, noa.id)
        if found.invitation.number == 1:
            found.invite_again(ada, now() + timedelta(milliseconds=5))
            members.save(found)
        return True

    mailbox.may_answer = another
    send()

    assert waiting(world) == [noa.id]


def test_a_server_that_refuses_is_tried_again(world, mailbox, send):  # noqa: F811
    noa = world.invited(Role.CLINICIAN)
    mailbox.refuses = "451 Later"

    send()
    put_off = [waiting(world, now() + timedelta(seconds=s)) for s in (0, 6)]
    mailbox.refuses = None
    world.database["members"].update_one({"_id": noa.id}, {"$set": {"invitation_due": now()}})
    send()

    assert put_off == [[], [noa.id]]
    assert len(mailbox.mails) == 1


def test_an_invitation_that_is_refused_for_good_is_given_up(world, mailbox, send):  # noqa: F811
    world.invited(Role.CLINICIAN)
    mailbox.refuses_recipient = "550 Nobody here"

    send()

    assert waiting(world) == []


@pytest.mark.parametrize(("collection", "invite"), [("members", "invited"), ("clients", "invited_client")])
def test_an_invitation_that_ran_out_is_not_sent(world, mailbox, send, collection, invite):  # noqa: F811
    getattr(world, invite)()
    world.database[collection].update_many({}, {"$set": {"invitation.expires_at": now()}})

    send()

    assert mailbox.mails == []
    assert waiting(world) == []


def test_an_invitation_is_tried_ever_more_rarely(world, mailbox, send):  # noqa: F811
    world.invited(Role.CLINICIAN)
    asked_at = {"invitation.asked_at": [now() - timedelta(minutes=1)]}
    world.database["members"].update_many({}, {"$set": asked_at})
    mailbox.refuses = "451 Later"

    send()

    assert [waiting(world, now() + timedelta(seconds=s)) != [] for s in (50, 70)] == [False, True]


def test_who_was_removed_or_accepted_gets_no_letter(world, mailbox, send):  # noqa: F811
    ada, members = world.member(Role.ADMIN), Members(world.database)
    removed, accepted = world.invited(Role.CLINICIAN), world.invited(Role.CLINICIAN)
    removed.remove(ada, Removal(by=ada.id, at=now(), hand_over={}), [])
    accepted.accept(now())
    for one in (removed, accepted):
        members.save(one)

    send()

    assert mailbox.mails == []


def test_one_letter_that_cannot_be_sent_holds_up_no_other(world, mailbox, send):  # noqa: F811
    world.invited(Role.CLINICIAN, email="not an address\r\nBcc: all@example.org")
    broken = world.invited(Role.CLINICIAN)
    world.database["members"].update_one({"_id": broken.id}, {"$unset": {"display_name": ""}})
    world.invited(Role.CLINICIAN, email="noa@example.org")

    send()

    assert [recipients for recipients, _ in mailbox.mails] == [["noa@example.org"]]


def test_a_code_goes_before_every_invitation(world, mailbox, send, reachable):  # noqa: F811
    world.invited(Role.CLINICIAN)
    world.client(email="maya@example.org")
    world.asked("maya@example.org")

    send()

    assert [mail["Subject"] for _, mail in mailbox.mails] == ["Your code", "You are invited"]


def test_the_timer_sends_as_soon_as_somebody_is_invited(world, mailbox, reachable):  # noqa: F811
    stopping = threading.Event()
    timer = threading.Thread(target=send_letters, args=(world.database, reachable, "me", stopping))
    timer.start()

    world.invited(Role.CLINICIAN)
    came = mailbox.came.wait(5)
    stopping.set()
    timer.join(5)

    assert came
    assert not timer.is_alive()


def test_those_that_wait_are_counted(world, reachable, monkeypatch):  # noqa: F811
    monkeypatch.setattr(remembered, "_SECONDS", -1.0)
    stopped = threading.Event()
    stopped.set()
    send_letters(world.database, reachable, "me", stopped)

    world.invited(Role.CLINICIAN)
    invited_client(world, "maya@example.org")

    assert Figures.of(KEEPING)("tandem_invitations_waiting") == 2
