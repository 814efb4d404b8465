"""What everybody must be told who writes something down: nobody reads along, and where help is now.

Every answer to free text written by a client carries it (design/domain.md, Safety).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from shared.messaging.envelope import Event
from shared.messaging.subscriber import Subscriber
from shared.security.access import language_of
from shared.security.caller import Caller
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


def crisis_text(database: Any, client: Caller) -> str | None:
    """As far as this service knows the practice and the client."""
    mine = client.practice_id
    practice = Records(database["practices"], "crisis_texts").get(mine, mine) or {}
    languages = (language_of(database, client), *practice.get("languages", ()))
    return first_of(practice.get("crisis_texts", {}), languages)


def first_of(texts: Mapping[str, str], languages: Iterable[str | None]) -> str | None:
    """The text in the first of these languages in which there is one."""
    return next((texts[language] for language in languages if language and texts.get(language)), None)
