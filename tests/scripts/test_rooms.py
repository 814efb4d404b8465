"""A missing room, an extra one, and a library outside its home are each told in a sentence."""

from pathlib import Path

import pytest

from scripts import rooms


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for room in rooms.ROOMS:
        _write(tmp_path, f"services/goals/{room}.py", '"""A room."""\n')
    _write(tmp_path, "shared/__init__.py", "")
    return tmp_path


def _write(project: Path, path: str, text: str) -> None:
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    (project / path).write_text(text)


def test_the_same_rooms_are_no_problem(project: Path) -> None:
    assert list(rooms.problems(project)) == []


def test_a_missing_room_is_told(project: Path) -> None:
    (project / "services/goals/store.py").unlink()

    assert list(rooms.problems(project)) == [
        "services/goals has no room store: add it, even if it is nearly empty."
    ]


def test_an_extra_room_is_told_until_it_is_introduced(project: Path) -> None:
    _write(project, "services/goals/sender.py", "")
    assert "`sender`" in next(rooms.problems(project))

    _write(project, "services/goals/__init__.py", '"""Goals; `sender` calls endpoints."""')

    assert list(rooms.problems(project)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("services/goals/domain.py", "import orjson"),
        ("services/goals/domain.py", "from services.goals.store import Goals"),
        ("services/goals/domain.py", "from services.goals import store"),
        ("services/goals/api.py", "from pymongo import MongoClient"),
        ("services/goals/handlers.py", "import flask"),
        ("services/goals/handlers.py", "import requests"),
        ("services/goals/store.py", "import os\nURL = os.environ['URL']"),
        ("services/goals/store.py", "from os import environ"),
        ("shared/clock.py", "def late():\n    import kombu"),
    ],
)
def test_what_is_out_of_place_is_told(project: Path, file: str, text: str) -> None:
    _write(project, file, text)

    assert len(list(rooms.problems(project))) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("services/goals/store.py", "from pymongo import ASCENDING"),
        ("services/goals/api.py", "from flask import request"),
        ("shared/messaging/relay.py", "import kombu"),
        ("shared/settings.py", "import os\nURL = os.environ['URL']"),
        ("services/goals/domain.py", "from services.goals.events import GoalAgreed"),
    ],
)
def test_what_is_at_home_is_not(project: Path, file: str, text: str) -> None:
    _write(project, file, text)

    assert list(rooms.problems(project)) == []
