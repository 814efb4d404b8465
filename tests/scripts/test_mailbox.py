"""The development mailbox takes mail by SMTP, and signing in reads the code from its files."""

import smtplib
import socket
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from scripts import processes, sign_in
from scripts.mailbox import letters, safe
from scripts.place import Place
from scripts.waiting import until


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "state")


@pytest.fixture
def smtp(place: Place) -> Iterator[smtplib.SMTP]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "scripts.mailbox", str(port), place.folder("mail")]
    processes.start(place, "mail", command, {})
    assert not until({"mailbox": lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0}, 10)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        yield client
    processes.stop(place, ["mail"])


def _mail(to: str, text: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "tandem@example.org", to, "Your code"
    mail.set_content(text)
    return mail


def test_a_mail_becomes_a_file_to_read(place: Place, smtp: smtplib.SMTP) -> None:
    smtp.send_message(_mail("Clara@Example.org", "1234 5678\n\nIt works once."))

    (letter,) = letters(place.mail, "clara@example.org")

    assert "1234 5678" in letter.read_text()
    assert letter.stat().st_mode & 0o077 == 0


def test_the_code_is_read_from_the_newest_mail(place: Place, smtp: smtplib.SMTP) -> None:
    smtp.send_message(_mail("clara@example.org", "1111 1111\n\nIt works once."))
    before = letters(place.mail, "clara@example.org")
    smtp.send_message(_mail("clara@example.org", "1234 5678\n\nIt works once."))

    assert sign_in._code(place, "clara@example.org", before) == "12345678"


def test_an_address_cannot_leave_the_folder() -> None:
    assert "/" not in safe("../../x/@example.org")
