"""Ending sign-ins: obeyed by refresh tokens at once, by access tokens within 5 s in every service.

One save of the person ends them, since whatever they left behind is looked up there (`Person.stays`, and
`access` in every service). That the sign-ins themselves are marked follows, here or, after a kill, before
the person forgets: so an interrupted ending is a whole one.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from services.practices.domain.people import Person
from services.practices.store.people import Clients, Members
from services.practices.store.sign_in import SignIns


def people(database: Any, kind: str) -> Any:
    """The store of those of one kind."""
    return Members(database) if kind == "member" else Clients(database)


def end(
    database: Any, kind: str, practice_id: str, person_id: str, ids: Iterable[str], at: datetime
) -> Person:
    sign_ins = SignIns(database)

    def change(person: Person) -> None:
        sign_ins.mark_ended(person, at)
        person.end_sign_ins(ids, at)

    person: Person = people(database, kind).change(practice_id, person_id, change)
    sign_ins.mark_ended(person, at)
    return person


def end_late(database: Any, kind: str, person: Person, at: datetime, but: str = "") -> Person:
    """After a save that ended all others: end what began between their listing and that save.

    What begins after the save looks at the person again, and ends itself (tokens.py).
    """
    late = SignIns(database).ids_of(person.practice_id, person.id, but)
    return end(database, kind, person.practice_id, person.id, late, at)
