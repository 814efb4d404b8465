"""Requests about oneself: how one is called, where one is signed in, what address codes are mailed to."""

from collections.abc import Mapping
from typing import Any

from services.practices.api.stores import own_practice, people, sign_ins
from services.practices.domain.addresses import AddressTaken
from services.practices.domain.clients import Client, ForThePractice
from services.practices.domain.members import Member
from services.practices.domain.people import Person
from services.practices.domain.practices import LanguageNotOffered
from services.practices.schemas import me as schemas
from services.practices.schemas.practices import MeView
from services.practices.schemas.sign_in import AskedView
from services.practices.sign_in.addresses import AddressChange, CodeRefused, SecondFactorRefused
from services.practices.sign_in.ending import end
from services.practices.store.sign_in import SignedIn
from shared.clock import now
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from shared.web.context import caller, database, settings
from shared.web.cursors import page
from shared.web.schemas import PageQuery, page_of

PROBLEMS = {
    AddressTaken: 409,
    ForThePractice: 403,
    LanguageNotOffered: 409,
    CodeRefused: 403,
    SecondFactorRefused: 403,
}

api = Blueprint("me", __name__, url_prefix="/v1", description="Oneself", problems=PROBLEMS)


@api.patch("/me")
@allows("me.change", repeatable=True)
@api.arguments(schemas.OneselfBody)
@api.response(200, MeView)
def change_me(body: dict[str, str]) -> Mapping[str, Any]:
    """What is left out stays as it is."""

    def change(person: Member | Client) -> None:
        if isinstance(person, Member):
            person.introduce(**body)
        else:
            person.change(own_practice(), by=person.id, **body)

    return _shown(people().change(caller().practice_id, caller().id, change))


@api.get("/me/sign-ins")
@allows("sign_in.list")
@api.arguments(PageQuery, location="query")
@api.response(200, page_of(schemas.SignInView))
def list_sign_ins(query: dict[str, Any]) -> Mapping[str, Any]:
    """Those that have not ended, newest first."""
    by, at = caller(), now()
    ended = people().get(by.practice_id, by.id).ended
    found = page(
        query, lambda limit, after: sign_ins().page_of(by.practice_id, by.id, ended, limit, after, at)
    )
    shown = [{**vars(one), "current": one.id == by.sign_in_id} for one in found["items"]]
    return {**found, "items": shown}


@api.delete("/me/sign-ins/<sign_in_id>")
@allows("sign_in.end", sign_ins, repeatable=True)
@api.response(204)
def end_sign_in(sign_in: SignedIn) -> None:
    """Whoever is signed in by it is out within 5 s, by this request too where it is their own."""
    end(database(), sign_in.kind, sign_in.practice_id, sign_in.person_id, [sign_in.id], now())


@api.delete("/me/sign-ins")
@allows("sign_in.end", repeatable=True)
@api.response(204)
def end_other_sign_ins() -> None:
    """All but the one that this request came by."""
    by = caller()
    others = sign_ins().ids_of(by.practice_id, by.id, but=by.sign_in_id)
    end(database(), by.kind, by.practice_id, by.id, others, now())


@api.post("/me/address")
@allows("address.change", repeatable=True)
@api.arguments(schemas.NewAddressBody)
@api.response(202, AskedView)
def ask_to_change_address(body: dict[str, str]) -> Mapping[str, str]:
    """The same answer whoever has the address; the code in its mailbox makes it yours by PUT.

    A client, who has no second factor, gets another code at the present address, and sends both.
    """
    ticket = _address_change().ask(body["email"], now())
    detail = "A code is on its way to this address, and to a client's present one; good for ten minutes."
    return {"detail": detail, "ticket": ticket}


@api.put("/me/address")
@allows("address.change", repeatable=True)
@api.arguments(schemas.AddressBody)
@api.response(200, MeView)
def change_address(body: dict[str, str]) -> Mapping[str, Any]:
    """The other sign-ins end, and the old address is told."""
    return _shown(_address_change().make(**body, at=now()))


def _address_change() -> AddressChange:
    return AddressChange(database(), settings(), caller())


def _shown(person: Person) -> Mapping[str, Any]:
    return {**vars(person), "kind": caller().kind, "name": person.display_name}
