"""A link is made to whichever broker of a cluster answers."""

import pytest

from shared.messaging.link import LOST, linked

NOBODY = "amqp://guest:guest@127.0.0.1:1//"


@pytest.mark.parametrize("dead", [1, 2])
def test_a_broker_that_is_away_is_passed_over(amqp_url: str, dead: int) -> None:
    with linked(";".join([*[NOBODY] * dead, amqp_url]), "test") as link:
        assert link.channel().is_open


def test_brokers_that_are_all_away_are_an_error() -> None:
    with pytest.raises(LOST), linked(f"{NOBODY};{NOBODY}", "test"):
        pass
