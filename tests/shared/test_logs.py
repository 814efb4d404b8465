"""A log line is JSON with ids as fields; an exception tells where, never what it quoted."""

import json
import logging

import pytest

from shared import logs
from shared.correlation import correlated


def test_a_line_names_its_service_its_ids_and_what_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("goals", "web")

    with correlated("c-1", "e-1"):
        logging.getLogger("here").info("Goal agreed", extra={"goal_id": "g-1"})

    line = json.loads(capsys.readouterr().out)
    assert line["message"] == "Goal agreed"
    assert (line["service"], line["part"], line["level"]) == ("goals", "web", "info")
    assert (line["goal_id"], line["correlation_id"], line["causation_id"]) == ("g-1", "c-1", "e-1")


def test_an_exception_is_told_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("goals", "web")

    try:
        raise ValueError("what a person wrote")
    except ValueError:
        logging.getLogger("here").exception("Request failed")

    text = capsys.readouterr().out
    assert "what a person wrote" not in text
    assert json.loads(text)["error"] == "ValueError"
    assert "test_logs.py" in json.loads(text)["where"][-1]
