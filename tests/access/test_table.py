"""The policy says what is expected of it, and the test says what it lacks."""

from types import SimpleNamespace
from typing import Any

import pytest

from shared.security.policy import POLICY
from tests.access.attempts import Route, Unplanned, routes, targets
from tests.access.bodies import NoExample, body_of
from tests.access.cast import MEMBERS, OF_APPS, OF_CLIENTS, OF_MEMBERS, cast
from tests.access.table import OF_WORDS, ROWS, row


@pytest.mark.parametrize("action", POLICY)
def test_the_policy_is_what_is_expected(action: str) -> None:
    assert POLICY[action] == row(action)


def test_nothing_is_expected_of_an_action_that_is_not_there() -> None:
    assert set(POLICY) == ROWS.keys() - OF_WORDS


def test_every_role_stands_in_every_relation() -> None:
    called = {str(caller) for caller in cast()}

    assert {f"{role}-{relation}" for role in MEMBERS for relation in OF_MEMBERS} <= called
    assert {f"client-{relation}" for relation in OF_CLIENTS} <= called
    assert {f"app-{relation}" for relation in OF_APPS} <= called
    assert len(called) == len(cast())


def guarded(action: str, public: bool = False) -> Any:
    rule = SimpleNamespace(endpoint="eat", rule="/v1/lunch", methods={"GET"})
    guard = SimpleNamespace(action=action, public=public)
    views = {"eat": SimpleNamespace(guard=guard)}
    return SimpleNamespace(iter_rules=lambda: [rule]), views


def test_an_action_without_a_row_is_told() -> None:
    with pytest.raises(AssertionError, match=r"who may take the action lunch\.eat"):
        routes("lunches", *guarded("lunch.eat"))


def test_a_public_route_has_to_be_known_as_such() -> None:
    with pytest.raises(AssertionError, match=r"/v1/lunch is public: see to PUBLIC"):
        routes("lunches", *guarded("goal.read", public=True))


def test_a_variable_without_a_record_is_told() -> None:
    guard: Any = SimpleNamespace(store=object(), by=None, action="goal.read")
    route = Route("lunches", "GET", "/v1/lunches/<lunch_id>", guard, None)

    with pytest.raises(Unplanned, match=r'add a function with @makes\("lunch_id", "lunches"\)'):
        targets(route, {})


def test_a_field_that_takes_nothing_known_is_told() -> None:
    from marshmallow import Schema, fields, validate

    odd = Schema.from_dict({"odd": fields.String(required=True, validate=validate.Regexp("^lunch$"))})

    with pytest.raises(NoExample, match="The field odd"):
        body_of(odd(), {})
