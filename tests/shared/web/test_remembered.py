"""What is asked often is looked for seldom."""

import pytest

from shared.web import remembered


def test_an_answer_is_looked_for_once_in_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    at, asked = [100.0], []
    monkeypatch.setattr(remembered.time, "monotonic", lambda: at[0])

    def answer() -> float:
        asked.append(at[0])
        return at[0]

    ask, told = remembered.Remembered(answer), []
    for moment in (100.0, 101.0, 101.9, 102.1, 103.0):
        at[0] = moment
        told.append(ask())

    assert asked == [100.0, 102.1]
    assert told == [100.0, 100.0, 100.0, 102.1, 102.1]
