"""What the present work belongs to: ids that travel from a request through events into logs."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_present: ContextVar[tuple[str | None, str | None, str | None]] = ContextVar(
    "present", default=(None, None, None)
)


def correlation_id() -> str | None:
    """The id that everything following from one request shares."""
    return _present.get()[0]


def causation_id() -> str | None:
    """The id of the event being handled, none in a request."""
    return _present.get()[1]


def traceparent() -> str | None:
    """The W3C Trace Context of the request, as it came."""
    return _present.get()[2]


@contextmanager
def correlated(
    correlation_id: str | None, causation_id: str | None = None, traceparent: str | None = None
) -> Iterator[None]:
    token = _present.set((correlation_id, causation_id, traceparent))
    try:
        yield
    finally:
        _present.reset(token)
