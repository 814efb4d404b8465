"""Each service's own copy of who people are: the ends of sign-ins, and what people say of themselves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.goals.app import service
from shared.clock import now
from shared.security.access import language_of, relations, standings
from shared.security.caller import Caller
from shared.security.tokens import TokenRefused
from shared.store.indexes import prepare
from shared.web.application import create_app
from tests import hearing
from tests.issuer import Issuer
from tests.requests import settings_of

OURS = Issuer()
ENDED = {"s1": now()}


@pytest.fixture
def known(database: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(relations, "_entitled", {})
    prepare(database, service.collections)
    hearing.hear(service, database, hearing.member("clara", "clinician"), hearing.client("maya"))
    hearing.hear(service, database, hearing.episode("maya", "clara"))
    return database


def caller(id: str, sign_in_id: str = "s1") -> Caller:
    return Caller(id, "member" if id == "clara" else "client", "p", "t", sign_in_id)


def signed_out(who: str, ended: dict[str, Any], sequence: int = 2) -> bytes:
    noun = "client" if who == "maya" else "member"
    data = {f"{noun}_id": who, "ended": ended}
    return hearing.message(f"{noun}.signed_out", "practices", data, "p", sequence=sequence)


@pytest.mark.parametrize("who", ["maya", "clara"])
def test_the_token_of_a_sign_in_that_was_ended_is_refused_and_others_are_not(known: Any, who: str) -> None:
    assert standings(known, caller(who), "goal.list", "maya")

    hearing.hear(service, known, signed_out(who, ENDED))
    relations._entitled.clear()  # a second later

    for target in ("maya", "nobody", None):
        with pytest.raises(TokenRefused):
            standings(known, caller(who), "goal.list", target)
    assert standings(known, caller(who, "s2"), "goal.list", "maya")


@pytest.mark.parametrize("who", ["maya", "clara"])
def test_whichever_comes_last_what_was_ended_last_counts(known: Any, who: str) -> None:
    later = {"s1": now(), "s2": now() + timedelta(seconds=1)}
    hearing.hear(
        service, known, signed_out(who, later, sequence=3), signed_out(who, {"s1": now()}, sequence=2)
    )

    for sign_in_id in ("s1", "s2"):
        with pytest.raises(TokenRefused):
            standings(known, caller(who, sign_in_id), "goal.list", "maya")


def test_a_snapshot_tells_it_too(known: Any) -> None:
    about = {"display_name": "Maya", "language": "en", "timezone": "UTC", "consents": {}, "withdrawn": []}
    client = {"client_id": "maya", "ended": ENDED, **about}
    member = {"member_id": "clara", "roles": ["clinician"], "active": True, "ended": ENDED, **about}
    for noun, data in (("client", client), ("member", member)):
        hearing.hear(service, known, hearing.message(f"{noun}.snapshot", "practices", data, "p", sequence=5))

    for who in ("maya", "clara"):
        with pytest.raises(TokenRefused):
            standings(known, caller(who), "goal.list", "maya")


def test_over_http_it_is_401_before_anything_else_and_asks_to_sign_in_anew(known: Any) -> None:
    app = create_app(service, settings_of("goals"), known, OURS.verifier())
    hearing.hear(service, known, signed_out("maya", ENDED))

    def answer(sign_in_id: str, path: str) -> Any:
        token = OURS.token(sub="maya", practice="p", sid=sign_in_id)
        return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})

    for path in ("/v1/clients/maya/goals", "/v1/clients/nobody/goals", "/v1/goals/x"):
        refused = answer("s1", path)
        assert (refused.status_code, refused.get_json()["type"]) == (401, "/problems/token-invalid")
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert answer("s2", "/v1/clients/maya/goals").status_code == 200


def test_it_is_obeyed_within_the_second_for_which_an_entitlement_is_remembered(known: Any) -> None:
    assert relations.KEPT <= 1.0

    standings(known, caller("maya"), "goal.list", "maya")

    assert caller("maya", "s2") not in {key[1] for key in relations._entitled}, "one sign-in is not another"


def test_the_language_that_a_client_chose_last_counts(known: Any) -> None:
    data = {"client_id": "maya", "display_name": "May", "language": "de", "timezone": "UTC"}
    hearing.hear(service, known, hearing.message("client.changed", "practices", data, "p", sequence=3))

    assert language_of(known, caller("maya")) == "de"
    assert standings(known, caller("maya"), "goal.list", "maya")
