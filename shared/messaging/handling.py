"""From messages to effects: decode, check, run the handlers, write; the same way from queue and `parked`.

Nothing here knows of brokers. Work that fails says why in a sentence without any of the event's data;
only a database that is away is raised (`StoreUnavailable`): then all of it is run again, which handlers
do not mind.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from traceback import extract_tb

from marshmallow import ValidationError

from shared.correlation import correlated
from shared.messaging.envelope import SNAPSHOT, Event, Undecodable, decode, service_of
from shared.messaging.subscriber import Registration, Subscriber
from shared.store.client import Database, Document, StoreUnavailable
from shared.store.indexes import Collection
from shared.store.operations import Item, Operation, write
from shared.store.records import present

Call = tuple[Registration, Event]
Need = tuple[str, str, str]
"""A read-model document that has to be there: (collection, practice, id)."""
Step = Callable[[bytes | None], None]
"""Told which message may from now on be what the process dies of; None while the database has the word."""


def _nothing(raw: bytes | None) -> None:
    pass


class KindsMixed(Exception):
    """A collection is written by `create`, or by `project` and `retract`, never by both."""


@dataclass(slots=True, eq=False)
class Work:
    """One message on its way through the handlers."""

    raw: bytes
    sender: str | None = None
    """The broker's user who sent it, as the broker vouches for."""
    event: Event | None = None
    calls: list[Call] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    error: str | None = None
    hopeless: bool = False
    """Trying again cannot help; a person has to look."""
    waits_for: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return self.error is None and not self.waits_for

    def fail(self, error: str, hopeless: bool = False) -> None:
        self.error, self.hopeless = error, hopeless


class Handling:
    def __init__(
        self,
        subscriber: Subscriber,
        database: Database[Document],
        collections: Sequence[Collection] = (),
        users: str | None = None,
    ) -> None:
        """`users` comes before services' names in those of the broker's users; None where they share one."""
        self._subscriber = subscriber
        self._database = database
        self._users = users
        self._kinds = {one.name: one.kind for one in collections}

    def run(self, works: Sequence[Work], step: Step = _nothing) -> set[str]:
        """Bring each to its end: done, failed or early; which documents were written ("goals/<id>")."""
        try:
            return self._run(works, step)
        except StoreUnavailable:
            # Whoever waits for it next does not do so inside a handler.
            step(None)
            raise

    def _run(self, works: Sequence[Work], step: Step) -> set[str]:
        written: set[str] = set()
        ready = [work for work in works if self._read(work, step)]
        while ready:
            ready, early = self._divide(ready, step)
            for work in ready:
                step(work.raw)
                self._handle(work)
            step(None)
            written |= self._write([work for work in ready if work.done])
            # What was just written may be what the early ones of this same batch wait for.
            ready = early if ready else []
        return written

    def identify(self, work: Work) -> Event | None:
        """Say which event it is, without handling it."""
        try:
            work.event = decode(work.raw)
        except Undecodable as error:
            work.fail(f"Undecodable: {error}", hopeless=True)
        return work.event

    def _read(self, work: Work, step: Step) -> bool:
        step(work.raw)
        work.error, work.hopeless, work.calls, work.items, work.waits_for = None, False, [], [], []
        event = self.identify(work)
        if event is None:
            return False
        registrations = self._subscriber.of_type(event.type)
        if not registrations and event.type.endswith(SNAPSHOT):
            return True  # `republish --to` sends a service all of them, and it projects some.
        if not registrations:
            work.fail("UnknownType: no handler of this service names the type.", hopeless=True)
        elif any(one.source != event.source for one in registrations):
            work.fail("WrongSource: this source may not say this type.", hopeless=True)
        elif self._users is not None and work.sender != self._users + service_of(event.source):
            work.fail("WrongSender: somebody else than its source sent it.", hopeless=True)
        else:
            self._load(work, event, registrations)
        return work.done

    def _load(self, work: Work, event: Event, registrations: Iterable[Registration]) -> None:
        try:
            work.calls = [(one, one.load(event)) for one in registrations]
        except ValidationError as error:
            fields = ", ".join(sorted(map(str, error.normalized_messages())))
            work.fail(f"ValidationError: {fields}", hopeless=True)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a schema raises fails this event alone
            work.fail(_told(error))

    def _divide(self, works: list[Work], step: Step) -> tuple[list[Work], list[Work]]:
        """Those that can be handled now, and those that come before what they depend on."""
        dependent = [work for work in works if any(call[0].after for call in work.calls)]
        needs = {id(work): self._needs(work, step) for work in dependent}
        if not needs:
            return works, []
        step(None)
        missing = self._missing({need for some in needs.values() for need in some})
        for work in works:
            work.waits_for = sorted(f"{name}/{id_}" for name, _, id_ in needs.get(id(work), set()) & missing)
        ready = [work for work in works if work.done]
        return ready, [work for work in works if work.waits_for]

    def _needs(self, work: Work, step: Step) -> set[Need]:
        step(work.raw)
        try:
            return {
                (name, event.practice_id, id_)
                for one, event in work.calls
                if one.after
                for name, id_ in one.after(event)
            }
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it raises fails this event alone
            work.fail(_told(error))
            return set()

    def _missing(self, needs: set[Need]) -> set[Need]:
        """One query a collection."""
        found = {
            (name, *key)
            for name in {name for name, _, _ in needs}
            for key in present(
                self._database[name],
                {(practice_id, id_) for other, practice_id, id_ in needs if other == name},
            )
        }
        return needs - found

    def _handle(self, work: Work) -> None:
        try:
            work.items = [item for one, event in work.calls for item in self._operations(one, event)]
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler raises fails this event alone
            work.fail(_told(error))

    def _operations(self, registration: Registration, event: Event) -> Iterator[Item]:
        with correlated(event.correlation_id, causation_id=event.id, traceparent=event.traceparent):
            operations = list(registration.handler(event) or ())
        for operation in operations:
            self._check_kind(operation)
            yield operation, event.practice_id, event.sequence

    def _check_kind(self, operation: Operation) -> None:
        kind = "created" if operation.kind == "create" else "records"
        if self._kinds.setdefault(operation.collection, kind) != kind:  # type: ignore[arg-type]
            raise KindsMixed(f"{operation.collection} is not written by {operation.kind}.")

    def _write(self, works: list[Work]) -> set[str]:
        try:
            self._write_all(works)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - something that BSON cannot say; find out whose it is
            if len(works) == 1:
                works[0].fail(_told(error))
            else:
                for work in works:
                    self._write([work])
        return {
            f"{operation.collection}/{operation.id}"
            for work in works
            if work.done
            for operation, _, _ in work.items
        }

    def _write_all(self, works: list[Work]) -> None:
        items = [item for work in works for item in work.items]
        if not items:
            return
        owners = [work for work in works for _ in work.items]
        for index, error in write(self._database, items).items():
            owners[index].fail(error)


def _told(error: Exception) -> str:
    """What failed and where. Not the message: it may quote what a person wrote."""
    places = extract_tb(error.__traceback__)
    where = f" in {places[-1].name}, line {places[-1].lineno}" if places else ""
    return f"{type(error).__name__}{where}"
