"""What producers say and what consumers read fit together, for every service there is."""

import copy
from typing import Any

import jsonschema
import orjson
import pytest

from scripts.contracts import ROOT, breaks, contracts, sample, services
from shared.messaging.audience import INTERNAL, PUBLIC
from shared.messaging.envelope import decode, source_of
from shared.messaging.subscriber import Registration

CONTRACTS = contracts()
REGISTRATIONS = [(one.name, found) for one in services() for found in one.subscriber.registrations]
NAMES = [f"{service}-{found.type}-{found.name}" for service, found in REGISTRATIONS]


@pytest.mark.parametrize(("service", "registration"), REGISTRATIONS, ids=NAMES)
def test_a_consumer_reads_only_what_its_producer_says(service: str, registration: Registration) -> None:
    contract = CONTRACTS[registration.type]

    said = contract["properties"]["data"]["properties"]
    assert registration.source == source_of(contract["x-source"])
    assert registration.schema.fields.keys() <= said.keys()


@pytest.mark.parametrize(("service", "registration"), REGISTRATIONS, ids=NAMES)
def test_every_golden_sample_is_understood(service: str, registration: Registration) -> None:
    raw = (ROOT / "contracts" / "samples" / f"{registration.type}.json").read_bytes()

    event = registration.load(decode(raw))

    assert registration.schema.fields.keys() <= event.data.keys()


@pytest.mark.parametrize("type", CONTRACTS)
def test_somebody_hears_every_event(type: str) -> None:
    assert any(type in one.subscriber.types for one in services())


@pytest.mark.parametrize("type", [type for type, one in CONTRACTS.items() if one["x-audience"] == PUBLIC])
def test_partners_hears_every_public_event(type: str) -> None:
    assert any(service == "partners" and found.type == type for service, found in REGISTRATIONS)


@pytest.mark.parametrize("type", CONTRACTS)
def test_a_sample_keeps_its_contract_and_its_twisted_twin_does_not(type: str) -> None:
    contract = CONTRACTS[type]
    validator = jsonschema.Draft202012Validator(contract, format_checker=jsonschema.FormatChecker())
    good = sample(contract)
    bad = copy.deepcopy(good)
    del bad["data"][next(iter(bad["data"]))]

    assert list(validator.iter_errors(good)) == []
    assert list(validator.iter_errors(bad))


@pytest.mark.parametrize("type", [type for type, one in CONTRACTS.items() if one["x-audience"] == PUBLIC])
def test_a_public_event_carries_ids_types_states_and_times_only(type: str) -> None:
    said = CONTRACTS[type]["properties"]["data"]["properties"]

    assert all(name.endswith(("_id", "_by", "_at", "_on", "type", "status", "number")) for name in said), said


def test_every_event_declares_one_of_two_audiences() -> None:
    assert {one["x-audience"] for one in CONTRACTS.values()} <= {PUBLIC, INTERNAL}
    assert not any(
        one["x-audience"] == PUBLIC
        for type, one in CONTRACTS.items()
        if type.startswith(("signal.", "reflection.", "topic.", "feedback."))
    )


def test_each_type_is_named_noun_dot_participle_and_said_by_one_service() -> None:
    said = [event.type for one in services() for event in one.events]

    assert len(said) == len(set(said))
    assert all(type.count(".") in (1, 2) and type == type.lower() for type in said)


def test_what_would_break_a_consumer_is_named() -> None:
    old: dict[str, Any] = next(iter(CONTRACTS.values()))
    field = next(iter(old["properties"]["data"]["properties"]))
    gone, retyped, optional, added = (copy.deepcopy(old) for _ in range(4))
    del gone["properties"]["data"]["properties"][field]
    retyped["properties"]["data"]["properties"][field] = {"type": "integer"}
    optional["properties"]["data"]["required"] = []
    added["properties"]["data"]["properties"]["more_id"] = {"type": "string"}

    assert breaks(old, gone) == [f"data: {field} is gone"]
    assert breaks(old, retyped) == [f"data: {field}: its type changed"]
    assert f"data: {field} may be missing" in breaks(old, optional)
    assert breaks(old, added) == []


def test_what_is_checked_in_is_what_the_code_says() -> None:
    for type, contract in CONTRACTS.items():
        kept = orjson.loads((ROOT / "contracts" / f"{type}.json").read_bytes())
        assert kept == contract, f"run `make contracts` ({type})"
