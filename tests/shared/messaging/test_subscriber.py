from typing import Any

import pytest
from marshmallow import ValidationError

from shared.messaging.envelope import decode
from shared.messaging.subscriber import HandlerTwice, Subscriber
from tests.shared.messaging.rooms import GoalSchema, telling


def test_two_handlers_of_one_type_and_name_are_refused() -> None:
    subscriber = telling("notifications")

    def tell(event: Any) -> None: ...

    with pytest.raises(HandlerTwice):
        subscriber.on("goal.agreed", GoalSchema, source="goals")(tell)


def test_several_handlers_of_one_type_are_kept_in_order() -> None:
    subscriber = telling("notifications")

    @subscriber.on("goal.agreed", GoalSchema, source="goals")
    def count(event: Any) -> None: ...

    assert [one.scope for one in subscriber.of_type("goal.agreed")] == [
        "notifications.tell",
        "notifications.count",
    ]
    assert subscriber.types == ["goal.agreed"]


def test_a_handler_sees_only_the_fields_it_names() -> None:
    (registration,) = telling("notifications").registrations
    raw = (
        b'{"specversion":"1.0","id":"1","type":"goal.agreed","source":"/tandem/goals","subject":"g","practiceid":"p",'
        b'"time":"2026-11-20T10:00:00Z","sequence":"1","data":{"goal_id":"g","client_id":"c"}}'
    )

    event = registration.load(decode(raw))

    assert event.data == {"goal_id": "g"}
    assert event.scope == "notifications.tell"
    with pytest.raises(ValidationError):
        registration.load(decode(raw.replace(b'"goal_id":"g"', b'"goal_id":5')))


def test_the_source_is_part_of_the_declaration() -> None:
    with pytest.raises(TypeError):
        Subscriber("notifications").on("goal.agreed", GoalSchema)  # type: ignore[call-arg]
