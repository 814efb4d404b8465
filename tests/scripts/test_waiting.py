"""An interrupt that Python lost in a finalizer still ends what waits."""

import pytest

from scripts import trouble
from scripts.waiting import until


def test_a_lost_interrupt_ends_the_next_wait() -> None:
    with pytest.raises(KeyboardInterrupt):
        trouble._interrupt(2, None)
    try:
        with pytest.raises(KeyboardInterrupt):
            until({"never": lambda: False}, seconds=5)
    finally:
        trouble.forgive()

    assert until({"at once": lambda: True}, seconds=1) == []
