"""Every route of every service, tried by everybody: who is not entitled learns nothing, who is gets in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from scripts import parts
from scripts.contracts import services
from tests.access.trial import Trial
from tests.access.world import world_of

SHARES = {"practices": 6}
"""Into how many tests a service is divided, so that several workers can take of it."""
TOLD = 60


@pytest.fixture(scope="module")
def trial(mongo_url: str) -> Iterator[Callable[[str], Trial]]:
    """The world of a service, made once for each worker that asks for it."""
    made: dict[str, Trial] = {}
    known = {one.name: one for one in services()}
    with ExitStack() as stack:

        def of(service: str) -> Trial:
            if service not in made:
                made[service] = Trial(stack.enter_context(world_of(known[service], mongo_url)))
            return made[service]

        yield of


def shares() -> Iterator[tuple[str, int]]:
    for service in parts.services():
        yield from ((service, share) for share in range(SHARES.get(service, 1)))


@pytest.mark.parametrize(("service", "share"), [*shares()])
def test_who_may_see_whom(
    trial: Callable[[str], Trial], service: str, share: int, pytestconfig: pytest.Config
) -> None:
    trying, asked = trial(service), pytestconfig.getoption("--routes", "")

    mine = [route for route in trying.routes[share :: SHARES.get(service, 1)] if asked in str(route)]
    wrong = [sentence for route in mine for sentence in trying.wrong(route)]

    assert mine or asked
    assert not wrong, "\n".join([f"{len(wrong)} wrong:", *wrong[:TOLD]])


def test_there_are_ten_thousand_attempts(trial: Callable[[str], Trial]) -> None:
    planned = {service: sum(trial(service).planned()) for service in parts.services()}

    assert sum(planned.values()) >= 10_000, planned
