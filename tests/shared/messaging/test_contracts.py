from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator

from shared.messaging.audience import INTERNAL
from shared.messaging.contracts import NoContract, schema


@dataclass(frozen=True)
class PracticeOpened:
    """A practice opens."""

    type: ClassVar = "practice.opened"
    audience: ClassVar = INTERNAL
    name: str
    beds: int
    active: bool
    opened_at: datetime
    founded_on: date
    languages: list[str]
    crisis_texts: dict[str, str]
    parent_id: str | None
    note: str = ""


def test_the_contract_is_a_valid_schema_of_the_whole_event() -> None:
    contract = schema(PracticeOpened, "practices")

    Draft202012Validator.check_schema(contract)
    assert contract["x-audience"] == "internal"
    assert contract["x-source"] == "practices"
    assert contract["properties"]["type"] == {"const": "practice.opened"}
    assert contract["properties"]["data"]["properties"]["parent_id"] == {"type": ["string", "null"]}
    assert "note" not in contract["properties"]["data"]["required"]


def test_the_same_class_gives_the_same_contract() -> None:
    assert str(schema(PracticeOpened, "practices")) == str(schema(PracticeOpened, "practices"))


@pytest.mark.parametrize("hint", [float, Any, list[float], dict[int, str], int | str, set[str]])
def test_a_field_that_contracts_do_not_have_is_refused(hint: Any) -> None:
    @dataclass(frozen=True)
    class Odd:
        type: ClassVar = "odd.made"
        audience: ClassVar = INTERNAL
        value: hint

    with pytest.raises(NoContract, match=r"Odd\.value"):
        schema(Odd, "goals")
