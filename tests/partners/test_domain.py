"""Who is entitled to an event, and what becomes of a delivery after each attempt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.partners.domain import (
    PAUSES,
    Attempt,
    Consent,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointRemoved,
    EndpointState,
    Grant,
    PublicEvent,
    entitled,
)

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LATER, EARLIER = AT + timedelta(milliseconds=1), AT - timedelta(milliseconds=1)
EVENT = PublicEvent("event-1", "practice-1", "goal.agreed", AT, "client-1", "{}")
GRANT = Grant("app-1", frozenset({"goal.agreed"}), AT)
CONSENT = Consent("app-1", "client-1", AT)
DELIVERY = Delivery("delivery-1", "practice-1", "endpoint-1", "event-1", "goal.agreed", AT, AT)


def endpoint(**other: object) -> Endpoint:
    fields = {"id": "endpoint-1", "practice_id": "platform", "app_id": "app-1", "url": "https://app.example/"}
    return Endpoint(**{**fields, "sealed_secret": "sealed", "created_at": AT, **other})  # type: ignore[arg-type]


def test_grant_and_consent_given_by_then_entitle() -> None:
    assert entitled(EVENT, endpoint(), [GRANT], [CONSENT])
    assert entitled(EVENT, endpoint(event_types=["goal.agreed"]), [GRANT], [CONSENT])
    assert entitled(EVENT, endpoint(), [GRANT], [replace(CONSENT, covers=frozenset({"episode", "goal"}))])


def test_what_concerns_no_client_needs_no_consent() -> None:
    assert entitled(replace(EVENT, client_id=None), endpoint(), [GRANT], [])


@pytest.mark.parametrize(
    ("grants", "consents"),
    [
        ([], [CONSENT]),
        ([GRANT], []),
        ([replace(GRANT, app_id="app-2")], [CONSENT]),
        ([replace(GRANT, event_types=frozenset({"goal.proposed"}))], [CONSENT]),
        ([replace(GRANT, given_at=LATER)], [CONSENT]),
        ([GRANT], [replace(CONSENT, app_id="app-2")]),
        ([GRANT], [replace(CONSENT, client_id="client-2")]),
        ([GRANT], [replace(CONSENT, given_at=LATER)]),
        ([GRANT], [replace(CONSENT, covers=frozenset({"episode"}))]),
    ],
)
def test_without_grant_or_consent_nobody_is_entitled(grants: list[Grant], consents: list[Consent]) -> None:
    assert not entitled(EVENT, endpoint(), grants, consents)


@pytest.mark.parametrize(
    "other",
    [
        {"created_at": LATER},
        {"event_types": ["goal.declined"]},
        {"state": EndpointState.REMOVED},
        {"state": EndpointState.DISABLED},
        {"app_id": "app-2"},
    ],
)
def test_an_endpoint_that_was_not_there_or_does_not_take_it_gets_nothing(other: dict[str, object]) -> None:
    assert not entitled(EVENT, endpoint(**other), [GRANT], [CONSENT])


def test_one_of_several_grants_suffices() -> None:
    elsewhere = replace(GRANT, event_types=frozenset({"goal.proposed"}))

    assert entitled(EVENT, endpoint(created_at=EARLIER), [elsewhere, GRANT], [CONSENT])


def test_a_removed_endpoint_cannot_be_removed_again_nor_disabled() -> None:
    removed = endpoint()
    removed.remove(AT)

    with pytest.raises(EndpointRemoved):
        removed.remove(LATER)
    removed.disable(LATER)

    assert (removed.state, removed.ended_at) == (EndpointState.REMOVED, AT)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    after = DELIVERY.after(Attempt(AT, 10, status), jitter=0.5)

    assert (after.state, after.next_at, len(after.attempts)) == (DeliveryState.DELIVERED, None, 1)


@pytest.mark.parametrize("attempt", [Attempt(AT, 0, s) for s in (199, 301, 307, 400, 404, 429, 500)])
def test_anything_else_is_tried_again(attempt: Attempt) -> None:
    after = DELIVERY.after(attempt, jitter=0)

    assert (after.state, after.next_at) == (DeliveryState.PENDING, AT + PAUSES[0])


def test_the_schedule_is_that_of_standard_webhooks_and_ends() -> None:
    delivery, pauses = DELIVERY, []

    while delivery.next_at:
        delivery = delivery.after(Attempt(delivery.next_at, 0, error="timeout"), jitter=0)
        pauses += [delivery.next_at - delivery.attempts[-1].at] if delivery.next_at else []

    assert [pause.total_seconds() for pause in pauses] == [
        5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ]  # fmt: skip
    assert (delivery.state, len(delivery.attempts)) == (DeliveryState.FAILED, 10)


def test_jitter_only_lengthens_a_pause() -> None:
    after = DELIVERY.after(Attempt(AT, 0, 500), jitter=0.999)

    assert timedelta(seconds=5) < (after.next_at or AT) - AT <= timedelta(seconds=6)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(0), timedelta(seconds=5)),
        (timedelta(minutes=1), timedelta(minutes=1)),
        (timedelta(days=400), timedelta(hours=24)),
    ],
)
def test_retry_after_lengthens_a_pause_within_bounds(asked: timedelta, given: timedelta) -> None:
    after = DELIVERY.after(Attempt(AT, 0, 503), jitter=0, retry_after=asked)

    assert after.next_at == AT + given


def test_gone_is_never_tried_again() -> None:
    after = DELIVERY.after(Attempt(AT, 0, 410), jitter=0)

    assert (after.state, after.next_at) == (DeliveryState.FAILED, None)
