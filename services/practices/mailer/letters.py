"""What letters say: nothing of what they are about."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

CODE = "Your code"
CODE_TEXT = """{code}

It works once, for ten minutes. If you did not ask for it, there is nothing you need to do.
"""
CHANGED = "Your address"
CHANGED_TEXT = """The address for signing in was changed: it is not this one any more.

If it was not you who changed it, tell those who invited you, today.
"""
INVITATION = "You are invited"
INVITATION_TEXT = """You are expected here:

{url}

Enter the e-mail address to which this came, and you get a code by mail. It is possible until {day}.
If you do not know what this is about, there is nothing you need to do.
"""


@dataclass(frozen=True)
class Letter:
    """What one mail says; its id is the same for every repeat, so that repeats are recognised."""

    id: str
    to: str
    subject: str
    text: str
    at: datetime


def written(letter: Letter, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = letter.subject
    mail["From"] = sender
    mail["To"] = letter.to
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.id}@{domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text)
    return mail


def domain(sender: str) -> str:
    return sender.rstrip(">").rpartition("@")[2]
