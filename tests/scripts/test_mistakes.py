"""Seeded mistakes: each fits the source, is put right again, and is told where no test sees it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.mistakes import __main__ as script
from scripts.mistakes.table import MISTAKES
from scripts.mistakes.trying import CAUGHT, MISSED, UNCLEAR, Copy, Mistake, require_fit
from scripts.place import PROJECT
from scripts.trouble import Trouble

SOURCE = "def may(age):\n    return age >= 18\n\n\ndef greets():\n    return 'hello'\n"
TEST = "from door import may\n\n\ndef test_no_child_comes_in():\n    assert not may(17)\n    assert may(18)\n"
SEEN = Mistake("a child may", "door.py", "age >= 18", "age >= 8", "test_door.py")
UNSEEN = Mistake("nobody is greeted", "door.py", "'hello'", "''", "test_door.py")
NO_PYTHON = Mistake("no Python", "door.py", "'hello'", "'hello", "test_door.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/door.py").write_text(SOURCE)
    (tmp_path / "project/test_door.py").write_text(TEST)
    (tmp_path / "project/.gitignore").write_text("*.log\n")
    (tmp_path / "project/lost.log").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "project", check=True)
    return tmp_path / "project"


@pytest.fixture
def copy(project: Path, tmp_path: Path) -> Iterator[Copy]:
    copy = Copy(tmp_path / "copy", {})
    copy.fill(project)
    yield copy
    assert (project / "door.py").read_text() == SOURCE


def test_every_mistake_of_the_table_can_be_made() -> None:
    require_fit(MISTAKES, PROJECT)

    assert len({one.what for one in MISTAKES}) == len(MISTAKES) >= 40
    assert all((PROJECT / one.seen_by.split()[0]).exists() for one in MISTAKES)


@pytest.mark.parametrize(
    ("old", "times"), [("age >= 21", 0), ("return ", 2), ("def may(age):\n    return age > 18", 0)]
)
def test_a_mistake_that_the_source_has_left_behind_is_told(project: Path, old: str, times: int) -> None:
    mistake = Mistake("a child may", "door.py", old, "", "test_door.py")

    with pytest.raises(
        Trouble, match=f"“a child may” cannot be made: its old text is {times} times in door.py"
    ):
        require_fit([SEEN, mistake], project)


def test_a_mistake_in_a_file_that_is_gone_is_told(project: Path) -> None:
    with pytest.raises(Trouble, match=r"0 times in gate\.py"):
        require_fit([Mistake("a gate", "gate.py", "x", "y", "test_door.py")], project)


def test_what_git_does_not_know_is_not_copied(copy: Copy) -> None:
    assert (copy.path / "test_door.py").exists()
    assert not (copy.path / "lost.log").exists()


@pytest.mark.slow
def test_a_mistake_that_a_test_sees_is_caught_by_it_and_put_right(copy: Copy) -> None:
    outcome = copy.try_out(SEEN)

    assert (outcome.result, outcome.said) == (CAUGHT, "test_door.py::test_no_child_comes_in")
    assert (copy.path / "door.py").read_text() == SOURCE
    assert copy.run("test_door.py").result == MISSED


@pytest.mark.slow
def test_tests_that_cannot_run_have_seen_nothing(copy: Copy) -> None:
    assert copy.try_out(NO_PYTHON).result == UNCLEAR


@pytest.mark.slow
def test_one_mistake_that_no_test_sees_is_one_too_many(
    copy: Copy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script._unseen([SEEN, UNSEEN, SEEN], [copy]) == 1

    told = capsys.readouterr().out
    assert "MISSED: nobody is greeted" in told
    assert told.count("caught: a child may") == 2
    assert "2 of 3 mistakes are seen." in told


@pytest.mark.slow
def test_tests_that_fail_without_a_mistake_are_told(copy: Copy) -> None:
    (copy.path / "door.py").write_text(SOURCE.replace("18", "21"))

    with pytest.raises(Trouble, match=r"pytest test_door\.py does not pass without any mistake"):
        script._require_right([copy], [SEEN])
