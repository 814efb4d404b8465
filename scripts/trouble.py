"""What a person reads when a command cannot go on: one sentence that names the trouble and the way out."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

_received: list[int] = []


class Trouble(Exception):
    """A command cannot go on; the message is the whole sentence for the person."""


def run(main: Callable[[], int | None]) -> None:
    """Run a command: trouble ends it with its sentence and 1, an interrupt with 130."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        sys.exit(main() or 0)
    except Trouble as trouble:
        sys.exit(_say(str(trouble), 1))
    except PermissionError as error:
        way_out = "run make as the owner of this folder or as root."
        sys.exit(_say(f"There is no permission for {error.filename or 'what is needed'}: {way_out}", 1))
    except KeyboardInterrupt:
        sys.exit(_say("Interrupted.", 130))


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(sentence + "\n")
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def heed() -> None:
    """Raise an interrupt again that Python lost: one that is raised in a finalizer goes no further."""
    if _received:
        raise KeyboardInterrupt


def forgive() -> None:
    """The interrupt is being acted on."""
    _received.clear()
