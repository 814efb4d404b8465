"""The policy table: what it says of the cases that matter most, and its form."""

import pytest

from shared.security.policy import POLICY, permits

ROLES = {"client", "clinician", "supervisor", "admin", "owner", "app", "person"}
RELATIONS = {"self", "own", "covering", "supervised", "emergency", "practice", "granted"}
WORDS_OF_PEOPLE = ["goal.read", "goal.list", "feedback.read", "feedback.list"]


def test_table_is_of_known_roles_and_relations() -> None:
    for action, row in POLICY.items():
        assert row, action
        for role, relation in row:
            assert role in ROLES, action
            assert relation in RELATIONS, action


@pytest.mark.parametrize("action", WORDS_OF_PEOPLE)
@pytest.mark.parametrize("role", ["owner", "admin", "supervisor", "clinician"])
def test_what_clients_wrote_is_open_to_nobody_for_being_of_the_practice(action: str, role: str) -> None:
    assert not permits(action, {(role, "practice")})


@pytest.mark.parametrize("action", WORDS_OF_PEOPLE)
def test_what_clients_wrote_is_open_to_them_and_their_clinician(action: str) -> None:
    assert permits(action, {("client", "self")})
    assert permits(action, {("clinician", "practice"), ("clinician", "own")})


def test_apps_read_goals_where_granted_and_never_feedback() -> None:
    allowed = {action for action in POLICY if permits(action, {("app", "granted")})}

    assert {action for action in allowed if action.partition(".")[0] in ("goal", "feedback")} == {
        "goal.read",
        "goal.list",
    }


def test_only_the_client_consents() -> None:
    assert POLICY["consent.give"] == POLICY["consent.withdraw"] == {("client", "self")}


def test_nobody_may_anything_without_a_standing() -> None:
    assert not any(permits(action, set()) for action in POLICY)


def test_unknown_action_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        permits("goal.eat", {("client", "self")})
