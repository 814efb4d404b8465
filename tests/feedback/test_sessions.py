"""When sessions are, as feedback knows it."""

from typing import Any

from services.feedback.app import service
from services.practices.domain.episodes import Episode, Turn
from services.practices.domain.sessions import Scope, Series, SessionStatus
from shared.clock import now
from shared.ids import new_id
from shared.store.codec import to_document
from shared.store.indexes import prepare
from shared.store.records import Records
from tests import hearing


def test_a_snapshot_says_what_all_that_happened_says(database: Any) -> None:
    prepare(database, service.collections)
    at = now()
    parties = {"client_id": "maya", "clinician_id": "clara", "clinicians": [Turn("clara", at)]}
    episode = Episode(id="e", practice_id="p", started_at=at, **parties)  # type: ignore[arg-type]
    starts = dict.fromkeys(("moved", "held", "cancelled", "left"), at)
    series = Series.schedule(episode, starts, 50, id=new_id(), timezone="UTC", rrule=None)
    moved, held, cancelled, _ = series.sessions
    series.move(moved, episode, at, 30, "clara", at)
    series.settle(held, episode, SessionStatus.HELD, "clara", at)
    series.cancel(cancelled, episode, Scope.THIS, "clara", at, None, by_client=False)

    def known(*events: Any) -> Any:
        database["sessions"].delete_many({})
        for sequence, event in enumerate(events, start=1):
            message = hearing.message(event.type, "practices", to_document(event), sequence=sequence)
            hearing.hear(service, database, message)
        return Records(database["sessions"], "client_id").among("p", [one.id for one in series.sessions])

    told = known(*series.events)

    assert [told[one.id]["status"] for one in series.sessions] == [
        "scheduled",
        "held",
        "cancelled",
        "scheduled",
    ]
    assert told[moved.id]["ends_at"] == moved.ends_at
    assert known(series.snapshot()) == told
