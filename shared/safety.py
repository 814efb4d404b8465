"""What everybody must be told who writes something down: nobody reads along, and where help is now.

Every answer to free text written by a client carries it (design/domain.md, Safety).
"""

from collections.abc import Iterator
from typing import Any

from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security.schemas import PracticeOpened
from shared.store.indexes import records
from shared.store.operations import Operation, project
from shared.store.records import Records

NOBODY_WATCHES = "Nobody reads this live. If you are not safe, turn to the help that is named here now."
UNTIL_KNOWN = "Call the emergency number of where you are: 112 in Europe, 911 in North America."
"""What is named where the practice's own crisis text is not at hand."""

COLLECTIONS = (records("practices"),)


def follow(subscriber: Subscriber) -> None:
    """Keep each practice's crisis texts."""
    for type in ("practice.opened", "practice.changed", "practice.snapshot"):
        subscriber.on(type, PracticeOpened, source="practices")(keep_crisis_texts)


def keep_crisis_texts(event: Event) -> Iterator[Operation]:
    texts = {"crisis_texts": event.data["crisis_texts"], "languages": event.data["languages"]}
    yield project("practices", event.practice_id, texts)


def notice(database: Any, practice_id: str, language: str | None) -> dict[str, str]:
    """The sentence, and the practice's crisis text in this language or its first one."""
    practice = Records(database["practices"], "crisis_texts").get(practice_id, practice_id) or {}
    texts = practice.get("crisis_texts", {})
    languages = [code for code in (language, *practice.get("languages", ())) if texts.get(code)]
    return {"text": NOBODY_WATCHES, "crisis_text": texts[languages[0]] if languages else UNTIL_KNOWN}
