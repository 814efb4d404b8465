"""Codes by mail, to a real SMTP server."""

import asyncio
import dataclasses
import email
import email.policy
import socket
import threading
import time
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from services.practices.domain.members import Member, Role
from services.practices.mailer import send_due, send_letters, waiting
from services.practices.sign_in import SignIn
from services.practices.sign_in.codes import Address, MailedCodes
from services.practices.store.codes import Codes
from services.practices.store.people import Clients, Members
from shared.clock import now
from shared.ids import new_id
from shared.messaging.metrics import KEEPING
from shared.store.lease import Lease
from shared.web import remembered
from tests.figures import Figures
from tests.practices.conftest import killed

EMAIL = "ada@example.org"
MINUTE = timedelta(minutes=1)
FOR_GOOD = pytest.mark.parametrize("refuses", ["refuses_recipient", "refuses"])
NEVER = threading.Event()


class Mailbox:
    """Keeps what comes, when it `may_answer`, or refuses the recipient or the mail with what these say."""

    def __init__(self):
        self.mails = []
        self.tried = []
        self.refuses_recipient = self.refuses = None
        self.refused = {}
        self.came = threading.Event()
        self.may_answer = lambda: True

    def authenticate(self, server, session, envelope, mechanism, given):
        """Anybody, noting with what."""
        self.tried.append(given)
        return AuthResult(success=True)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if refusal := self.refused.get(address, self.refuses_recipient):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 Known"

    async def handle_DATA(self, server, session, envelope):
        if self.refuses:
            return self.refuses
        while not self.may_answer():
            await asyncio.sleep(0.01)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, mail))
        self.came.set()
        return "250 Kept"


@pytest.fixture
def mailbox():
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        server_hostname="localhost",
        authenticator=box.authenticate,
        auth_require_tls=False,
    )
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def reachable(settings, mailbox):
    return dataclasses.replace(settings, smtp_url=f"smtp://127.0.0.1:{mailbox.port}")


@pytest.fixture
def lease(world):
    return Lease(world.database["leases"], "mailer")


def test_who_is_known_gets_the_code(world, mailbox, reachable, lease):
    ada = world.client(email=EMAIL)
    ticket = MailedCodes(world.database, reachable).ask("Ada@Example.org", None, now())

    send_due(world.database, reachable, lease, NEVER)

    ((recipients, mail),) = mailbox.mails
    code = mail.get_content().splitlines()[0].replace(" ", "")
    assert recipients == [EMAIL]
    sign_in = SignIn(world.database, reachable)
    assert sign_in.by_code(EMAIL, code, ticket, ada.practice_id, "client", now())


def test_a_mail_says_nothing_of_what_it_is_about(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())

    send_due(world.database, reachable, lease, NEVER)

    ((_, mail),) = mailbox.mails
    assert (mail["Subject"], mail["From"]) == ("Your code", "hello@mail.test")
    told = str(mail).lower()
    words = ("tandem", "practice", "therap", "clinic", "client", "sign", "health", "harbour")
    assert not [word for word in words if word in told]


def test_who_is_unknown_or_suspended_gets_none(world, mailbox, reachable, lease):
    ada = world.member(Role.CLINICIAN, email=EMAIL)
    world.suspend(ada)
    for address in (EMAIL, "nobody@example.org"):
        MailedCodes(world.database, reachable).ask(address, None, now())

    send_due(world.database, reachable, lease, NEVER)

    assert mailbox.mails == []
    assert Codes(world.database).to_send(now() + timedelta(hours=1)) == {}


def test_a_code_is_sent_once(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())

    send_due(world.database, reachable, lease, NEVER)
    send_due(world.database, reachable, lease, NEVER)

    assert len(mailbox.mails) == 1


def test_a_repeat_after_a_kill_has_the_same_message_id(world, mailbox, reachable, lease, monkeypatch):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())

    with monkeypatch.context() as killed:
        killed.setattr(Codes, "settle", lambda *_: None)
        send_due(world.database, reachable, lease, NEVER)
    send_due(world.database, reachable, lease, NEVER)

    first, second = (mail["Message-ID"] for _, mail in mailbox.mails)
    assert first == second


def test_an_expired_code_is_not_sent(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now() - timedelta(minutes=10))

    send_due(world.database, reachable, lease, NEVER)

    assert mailbox.mails == []


def test_a_server_that_refuses_is_tried_again(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    mailbox.refuses = "451 Later"
    send_due(world.database, reachable, lease, NEVER)
    mailbox.refuses = None

    put_off = [Codes(world.database).to_send(now() + timedelta(seconds=s)) for s in (0, 6)]
    world.database["codes"].update_many({}, {"$set": {"due": now()}})
    send_due(world.database, reachable, lease, NEVER)

    assert put_off[0] == {}
    assert len(put_off[1]) == 1
    assert len(mailbox.mails) == 1


def test_letters_and_those_that_wait_are_counted(world, mailbox, reachable, lease, monkeypatch):
    for address in (EMAIL, "not an address\r\nBcc: all@example.org"):
        world.client(email=address)
    monkeypatch.setattr(remembered, "_SECONDS", -1.0)
    before, codes = Figures.of(KEEPING), MailedCodes(world.database, reachable)
    stopped = threading.Event()
    stopped.set()
    send_letters(world.database, reachable, "me", stopped)  # from now on its figures are of this database

    codes.ask(EMAIL, None, now() - timedelta(minutes=3))
    mailbox.refuses = "451 Later"
    send_due(world.database, reachable, lease, NEVER)
    refused = Figures.of(KEEPING)
    mailbox.refuses = None
    codes.ask("not an address\r\nBcc: all@example.org", None, now())
    world.database["codes"].update_many({}, {"$set": {"due": now()}})
    send_due(world.database, reachable, lease, NEVER)
    sent = Figures.of(KEEPING)

    assert refused("tandem_letters_waiting") == 1
    assert 180 <= refused("tandem_letters_oldest_seconds") < 240
    assert sent("tandem_letters_waiting") == sent("tandem_letters_oldest_seconds") == 0
    became = {
        word: sent.since(before, "tandem_letters_total", became=word)
        for word in ("put_off", "sent", "given_up")
    }
    assert became == {"put_off": 1, "sent": 1, "given_up": 1}


@FOR_GOOD
def test_a_code_that_is_refused_for_good_is_given_up(world, mailbox, reachable, lease, caplog, refuses):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    before = Figures.of(KEEPING)
    setattr(mailbox, refuses, "550 Nobody here")

    send_due(world.database, reachable, lease, NEVER)

    assert Codes(world.database).to_send(now() + timedelta(hours=1)) == {}
    assert Figures.of(KEEPING).since(before, "tandem_letters_total", became="given_up") == 1
    (told,) = [record for record in caplog.records if record.message == "Letter given up"]
    assert told.letter_id == world.database["codes"].find_one()["codes"][0]["id"]
    assert EMAIL not in str(vars(told))


@pytest.mark.parametrize("refuses", ["refuses_recipient", "refuses"])
def test_what_is_refused_for_now_is_kept(world, mailbox, reachable, lease, refuses):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    setattr(mailbox, refuses, "450 Later")

    send_due(world.database, reachable, lease, NEVER)

    assert len(Codes(world.database).to_send(now() + timedelta(hours=1))) == 1


@pytest.mark.parametrize(("minutes", "again"), [(0, 5), (1, 5), (9, 5)])
def test_codes_are_tried_again_soon_however_long_they_have_waited(
    world, mailbox, reachable, lease, minutes, again
):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now() - minutes * MINUTE)
    mailbox.refuses = "451 Later"

    send_due(world.database, reachable, lease, NEVER)

    due = world.database["codes"].find_one()["due"]
    assert timedelta(0) < due - now() <= timedelta(seconds=again)


def test_made_up_addresses_are_settled_all_at_once_and_hold_up_nobody(
    world, mailbox, reachable, lease, monkeypatch
):
    ada = world.client(email=EMAIL)
    codes = MailedCodes(world.database, reachable)
    for number in range(8):
        codes.ask(f"made-up-{number}@example.org", None, now())
    codes.ask(EMAIL, None, now())
    codes.ask_for_change(ada.id, {Address.NEW: "ada@example.net"}, now())
    monkeypatch.setattr(waiting, "AT_ONCE", 3)
    settled = []
    monkeypatch.setattr(Codes, "settle", counting(Codes.settle, settled))

    send_due(world.database, reachable, lease, NEVER)

    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL], ["ada@example.net"]]
    assert settled == [3, 3, 2, 1, 1]
    assert Codes(world.database).waiting() == 0


def counting(settle, settled):
    def counted(self, waited):
        settled.append(len(waited))
        settle(self, waited)

    return counted


def test_one_letter_that_cannot_be_sent_holds_up_no_other(world, mailbox, reachable, lease):
    world.client(email="not an address\r\nBcc: all@example.org")
    world.client(email=EMAIL)
    for address in ("not an address\r\nBcc: all@example.org", EMAIL):
        MailedCodes(world.database, reachable).ask(address, None, now())

    send_due(world.database, reachable, lease, NEVER)

    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL]]


def test_one_mailbox_that_is_full_has_no_other_get_its_letter_again(world, mailbox, reachable, lease):
    ada, codes = world.client(email=EMAIL), MailedCodes(world.database, reachable)
    for address in ("full@example.org", "other@example.org"):
        codes.ask_for_change(ada.id, {Address.NEW: address}, now())
    world.database["clients"].update_one({"_id": ada.id}, {"$set": {"letters_due": now()}})
    kept = Clients(world.database).get(world.practice.id, ada.id)
    kept.former_emails = {"l1": "full@example.org", "l2": "former@example.org"}
    kept.address_changed_at = now()
    Clients(world.database).save(kept)
    mailbox.refused = {"full@example.org": "452 Full"}

    for _ in range(3):
        send_due(world.database, reachable, lease, NEVER)
        world.database["codes"].update_many({"due": {"$exists": True}}, {"$set": {"due": now()}})
        world.database["clients"].update_one({"_id": ada.id}, {"$set": {"letters_due": now()}})

    sent = sorted(recipient for recipients, _ in mailbox.mails for recipient in recipients)
    assert sent == ["former@example.org", "other@example.org"]
    left = Clients(world.database).get(world.practice.id, ada.id)
    assert left.former_emails == {"l1": "full@example.org"}
    assert Codes(world.database).waiting() == 1


def test_only_who_holds_the_lease_sends(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    other = Lease(world.database["leases"], "mailer")
    assert other.hold()

    send_due(world.database, reachable, lease, NEVER)

    assert mailbox.mails == []


def test_a_password_is_not_told_to_a_server_without_tls(world, mailbox, reachable, lease):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    with_password = reachable.smtp_url.replace("smtp://", "smtp://tandem:pw@")

    send_due(world.database, dataclasses.replace(reachable, smtp_url=with_password), lease, NEVER)

    assert mailbox.tried == []
    assert mailbox.mails == []
    assert len(Codes(world.database).to_send(now() + timedelta(seconds=6))) == 1


def test_a_slow_server_does_not_cost_the_lease(world, mailbox, reachable):
    world.client(email=EMAIL)
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    lease, other = (Lease(world.database["leases"], "mailer", timedelta(seconds=0.8)) for _ in range(2))
    # Twice as long as the lease.
    deadline = time.monotonic() + 1.6
    taken = []
    mailbox.may_answer = lambda: taken.append(other.hold()) or time.monotonic() > deadline

    send_due(world.database, reachable, lease, NEVER)

    assert not any(taken)
    assert len(mailbox.mails) == 1


def test_who_loses_the_lease_stops_and_leaves_the_rest_to_the_other(world, mailbox, reachable):
    world.client(email=EMAIL)
    world.another_practice().client(email=EMAIL.title())
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    lease, other = (Lease(world.database["leases"], "mailer", timedelta(seconds=0.4)) for _ in range(2))

    def lost():
        world.database["leases"].update_one({}, {"$set": {"owner": "another"}})
        return not lease.held

    mailbox.may_answer = lost
    send_due(world.database, reachable, lease, NEVER)
    sent = [recipients for recipients, _ in mailbox.mails]
    mailbox.may_answer = lambda: True
    world.database["leases"].delete_many({})
    send_due(world.database, reachable, other, NEVER)

    assert sent == [[EMAIL.title()]]
    assert [recipients for recipients, _ in mailbox.mails[1:]] == [[EMAIL.title()], [EMAIL]]


def test_who_is_to_end_begins_no_other_letter(world, mailbox, reachable, lease):
    stopping = threading.Event()
    for address in (EMAIL, "bob@example.org"):
        world.client(email=address)
        MailedCodes(world.database, reachable).ask(address, None, now())
    mailbox.may_answer = lambda: stopping.set() or True

    send_due(world.database, reachable, lease, stopping)

    assert len(mailbox.mails) == 1


def test_a_keeper_holds_the_lease_of_the_dead_one_before_it(world, mailbox, reachable):
    world.client(email=EMAIL)
    Lease(world.database["leases"], "mailer", me="worker-1").hold()
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    stopping = threading.Event()

    timer = threading.Thread(target=send_letters, args=(world.database, reachable, "worker-1", stopping))
    timer.start()
    came = mailbox.came.wait(5)
    stopping.set()
    timer.join(5)

    assert came


def test_the_timer_sends_as_soon_as_a_code_is_asked_for(world, mailbox, reachable):
    world.client(email=EMAIL)
    stopping = threading.Event()
    timer = threading.Thread(target=send_letters, args=(world.database, reachable, "me", stopping))
    timer.start()

    asked = time.monotonic()
    MailedCodes(world.database, reachable).ask(EMAIL, None, now())
    came = mailbox.came.wait(5)
    took = time.monotonic() - asked
    stopping.set()
    timer.join(5)

    assert came
    assert took < 2
    assert not timer.is_alive()


def test_a_record_that_cannot_be_read_holds_up_no_other_letter(world, mailbox, reachable, lease):
    broken = world.client(email="broken@example.org")
    world.database["clients"].update_one({"_id": broken.id}, {"$unset": {"display_name": ""}})
    world.client(email=EMAIL)
    for address in ("broken@example.org", EMAIL):
        MailedCodes(world.database, reachable).ask(address, None, now())

    send_due(world.database, reachable, lease, NEVER)

    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL]]


def test_a_code_for_a_change_goes_to_the_new_mailbox_only(world, mailbox, reachable, lease):
    ada = world.client(email=EMAIL)
    mailboxes = {Address.NEW: "ada@example.net"}
    MailedCodes(world.database, reachable).ask_for_change(ada.id, mailboxes, now())

    send_due(world.database, reachable, lease, NEVER)
    send_due(world.database, reachable, lease, NEVER)

    ((recipients, mail),) = mailbox.mails
    assert recipients == ["ada@example.net"]
    assert mail["Subject"] == "Your code"
    assert not [kept for kept in world.database["codes"].find_one()["codes"] if kept["sealed_to"]]


def moved(world, someone, *emails):
    """The same person, who signs in by the last of these now."""
    store = Members(world.database) if isinstance(someone, Member) else Clients(world.database)
    codes = MailedCodes(world.database, world.settings)
    for to in emails:
        at, about = now(), (someone.practice_id, someone.id)
        store.change(*about, lambda person: person.change_address(to, codes.address(to), new_id(), at))  # noqa: B023


def letters(world):
    return [
        found
        for name in ("members", "clients")
        for found in world.database[name].find({"letters_due": {"$ne": None}})
    ]


def test_every_former_address_is_told_once_that_it_was_changed_and_no_more(world, mailbox, reachable, lease):
    moved(world, world.client(email=EMAIL), "ada@example.net", "ada@example.com")
    moved(world, world.member(Role.OWNER, email="bob@example.org"), "bob@example.net")

    send_due(world.database, reachable, lease, NEVER)
    send_due(world.database, reachable, lease, NEVER)

    told = [recipients for recipients, _ in mailbox.mails]
    assert sorted(told) == [["ada@example.net"], [EMAIL], ["bob@example.org"]]
    words = (
        "tandem",
        "practice",
        "therap",
        "clinic",
        "client",
        "health",
        "harbour",
        "example.com",
        "somebody",
    )
    for _, mail in mailbox.mails:
        text = mail.get_content() + mail["Subject"]
        assert "address for signing in was changed" in text
        assert "tell those who invited you" in text
        assert not [word for word in words if word in text.lower()]
    assert letters(world) == []


def test_a_letter_of_a_change_survives_a_kill_and_is_recognised_by_its_id(world, mailbox, reachable, lease):
    moved(world, world.client(email=EMAIL), "ada@example.net")

    with killed(Clients, "save"):
        send_due(world.database, reachable, lease, NEVER)
    send_due(world.database, reachable, lease, NEVER)

    first, second = (mail["Message-ID"] for _, mail in mailbox.mails)
    assert first == second
    assert letters(world) == []


def test_a_letter_of_a_change_is_tried_again_and_changes_nobody_meanwhile(world, mailbox, reachable, lease):
    ada = world.client(email=EMAIL)
    moved(world, ada, "ada@example.net")
    version = Clients(world.database).get(ada.practice_id, ada.id).version
    mailbox.refuses = "451 Later"
    send_due(world.database, reachable, lease, NEVER)
    mailbox.refuses = None

    due = [Clients(world.database).due("letters_due", now() + timedelta(seconds=s)) for s in (0, 6)]
    after = Clients(world.database).get(ada.practice_id, ada.id)
    world.database["clients"].update_many({}, {"$set": {"letters_due": now()}})
    send_due(world.database, reachable, lease, NEVER)

    assert [len(found) for found in due] == [0, 1]
    assert after.version == version
    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL]]


def test_a_person_who_cannot_be_read_holds_up_no_other_letter_of_a_change(world, mailbox, reachable, lease):
    broken, whole = world.client(email="broken@example.org"), world.client(email=EMAIL)
    for one in (broken, whole):
        moved(world, one, f"{one.id}@example.net")
    world.database["clients"].update_one({"_id": broken.id}, {"$unset": {"display_name": ""}})

    send_due(world.database, reachable, lease, NEVER)

    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL]]


def test_an_address_changed_again_while_its_letter_is_sent_is_told_too(world, mailbox, reachable, lease):
    ada = world.client(email=EMAIL)
    moved(world, ada, "ada@example.net")
    mailbox.may_answer = lambda: moved(world, ada, "ada@example.com") or True
    send_due(world.database, reachable, lease, NEVER)
    mailbox.may_answer = lambda: True

    send_due(world.database, reachable, lease, NEVER)

    assert [recipients for recipients, _ in mailbox.mails] == [[EMAIL], ["ada@example.net"]]


@FOR_GOOD
def test_a_former_address_that_takes_nothing_is_forgotten(world, mailbox, reachable, lease, refuses):
    ada = world.client(email=EMAIL)
    moved(world, ada, "ada@example.net")
    setattr(mailbox, refuses, "550 Nobody here")

    send_due(world.database, reachable, lease, NEVER)

    assert letters(world) == []
    assert Clients(world.database).get(ada.practice_id, ada.id).former_emails == {}


def changed_before(world, ago):
    world.database["clients"].update_many({}, {"$set": {"address_changed_at": now() - ago}})


@pytest.mark.parametrize(("ago", "again"), [(MINUTE, MINUTE), (timedelta(days=2), waiting.AT_LATEST_AFTER)])
def test_a_letter_that_is_not_taken_is_tried_ever_more_rarely(world, mailbox, reachable, lease, ago, again):
    moved(world, world.client(email=EMAIL), "ada@example.net")
    changed_before(world, ago)
    mailbox.refuses = "451 Later"

    send_due(world.database, reachable, lease, NEVER)

    (found,) = letters(world)
    assert again - timedelta(seconds=10) < found["letters_due"] - now() <= again + timedelta(seconds=10)


def test_a_former_address_that_could_not_be_told_for_long_is_forgotten(world, mailbox, reachable, lease):
    moved(world, world.client(email=EMAIL), "ada@example.net")
    changed_before(world, waiting.TOLD_WITHIN)

    send_due(world.database, reachable, lease, NEVER)

    assert (mailbox.mails, letters(world)) == ([], [])


def test_a_repeat_has_the_date_of_the_change(world, mailbox, reachable, lease):
    moved(world, world.client(email=EMAIL), "ada@example.net")
    changed_before(world, timedelta(days=1))

    send_due(world.database, reachable, lease, NEVER)

    ((_, mail),) = mailbox.mails
    assert now() - mail["Date"].datetime >= timedelta(days=1)


def test_people_whose_former_address_is_not_told_are_counted(world, reachable, monkeypatch):
    monkeypatch.setattr(remembered, "_SECONDS", -1.0)
    stopped = threading.Event()
    stopped.set()
    send_letters(world.database, reachable, "me", stopped)

    moved(world, world.client(email=EMAIL), "ada@example.net", "ada@example.com")
    moved(world, world.member(Role.OWNER), "bob@example.net")

    assert Figures.of(KEEPING)("tandem_address_letters_waiting") == 2
