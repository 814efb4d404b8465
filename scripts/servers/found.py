"""What every way of getting servers has in common."""

from collections.abc import Callable
from dataclasses import dataclass, field

START_SECONDS = 90.0
ANSWER_SECONDS = 10.0  # for servers that others run, and that should be up already


@dataclass(frozen=True)
class Servers:
    """Where both servers are, and how to see that they answer."""

    way: str
    mongo_url: str
    amqp_url: str
    management_url: str = ""
    """RabbitMQ's management API, where the URLs are administrators' and services have users of their own."""
    ready: dict[str, Callable[[], bool]] = field(default_factory=dict)
