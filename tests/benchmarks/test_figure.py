"""What is made of the rounds: median, ratio, and whether the bar is met."""

import pytest

from benchmarks.figure import Figure, at_least, at_most

RATIO = at_least("ratio", 0.9, aim=0.97)


def _figure(*values: float, peers: tuple[float, ...] = (), bars: tuple = (RATIO,), **rest: object) -> Figure:
    return Figure("save", "saves/s", values, bars, "plain", peers, **rest)


def test_value_and_peer_are_medians_and_the_ratio_is_theirs() -> None:
    figure = _figure(90.0, 10.0, 100.0, peers=(200.0, 100.0, 1.0))

    assert (figure.value, figure.peer_value, figure.ratio) == (90.0, 100.0, 0.9)


def test_a_figure_without_a_peer_has_no_ratio_and_meets_no_bar_on_one() -> None:
    figure = _figure(90.0)

    assert (figure.peer_value, figure.ratio, figure.met) == (None, None, False)


@pytest.mark.parametrize(("value", "met"), [(89.9, False), (90.0, True), (95.0, True)])
def test_the_bar_itself_is_enough_and_the_aim_is_not_asked(value: float, met: bool) -> None:
    assert _figure(value, peers=(100.0,)).met is met


@pytest.mark.parametrize(("value", "met"), [(15.1, False), (15.0, True)])
def test_a_bar_may_be_from_above(value: float, met: bool) -> None:
    assert _figure(value, bars=(at_most("value", 15, aim=5),)).met is met


def test_every_bar_must_be_met() -> None:
    bars = (at_least("ratio", 15, aim=20), at_least("value", 5_000, aim=10_000))

    assert _figure(6_000.0, peers=(100.0,), bars=bars).met
    assert not _figure(4_000.0, peers=(100.0,), bars=bars).met
    assert not _figure(6_000.0, peers=(1_000.0,), bars=bars).met


def test_the_peer_at_its_best_is_told_and_not_held_against_us() -> None:
    figure = _figure(95.0, peers=(100.0,), best_peer_value=190.0, best_concurrency=16)

    assert (figure.ratio_to_best, figure.met) == (0.5, True)


def test_the_json_holds_the_five_that_were_asked_for_and_the_spread() -> None:
    told = _figure(1.0, 2.0, 3.0, peers=(4.0, 4.0, 2.0)).as_json()

    assert {name: told[name] for name in ("value", "unit", "peer", "peer_value", "ratio")} == {
        "value": 2.0,
        "unit": "saves/s",
        "peer": "plain",
        "peer_value": 4.0,
        "ratio": 0.5,
    }
    assert (told["min"], told["max"], told["rounds"]) == (1.0, 3.0, 3)
    assert (told["ratio_min"], told["ratio_max"]) == (0.25, 1.5)
