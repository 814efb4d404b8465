"""The user of RabbitMQ that one service is, made over the management plugin's HTTP API.

It may write what is of its own nouns to the exchange and read its own queues. It may make nothing: `prepare`
does that as the administrator, since only who may write to every queue can make one that has dead letters.
"""

import re
from base64 import b64encode
from collections.abc import Collection
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import orjson

from shared.messaging.topology import EXCHANGE, dead_queue, events_queue, routing_key
from shared.settings import Settings
from shared.settings.urls import logins

_SECONDS = 10.0
_NOTHING = "^$"


class ManagementRefused(Exception):
    """RabbitMQ's management API did not do what it was asked for."""


def make_user(settings: Settings, says: Collection[str]) -> None:
    """Make the user that TANDEM_AMQP_URL names, or give it the password and rights it has to have."""
    user, password, vhost = logins(settings.amqp_url)[0]
    ask = _Management(settings.admin_rabbitmq_url)
    ask.put(f"users/{_one(user)}", password=password, tags="")
    ask.put(
        f"permissions/{_one(vhost)}/{_one(user)}",
        configure=_NOTHING,
        write=_any_of(EXCHANGE) if says else _NOTHING,
        read=_any_of(events_queue(settings.service), dead_queue(settings.service)),
    )
    ask.put(
        f"topic-permissions/{_one(vhost)}/{_one(user)}",
        exchange=EXCHANGE,
        write=_of_these(says) if says else _NOTHING,
        read=_NOTHING,
    )


def _any_of(*names: str) -> str:
    return f"^({'|'.join(map(re.escape, sorted(names)))})$"


def _of_these(types: Collection[str]) -> str:
    """Whatever is said of the same nouns: the releases before and after may say more of them, or less."""
    nouns = sorted({type.partition(".")[0] for type in types})
    to_one = re.escape(routing_key("", "@")).replace("@", "[a-z_]+")
    return f"^({to_one})?({'|'.join(nouns)})\\.[a-z0-9_.]+$"


def _one(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


class _Management:
    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._url = f"{at.scheme}://{at.netloc.rpartition('@')[2]}{at.path.rstrip('/')}/api/"
        who = f"{unquote(at.username or '')}:{unquote(at.password or '')}".encode()
        self._headers = {
            "Authorization": f"Basic {b64encode(who).decode()}",
            "Content-Type": "application/json",
        }
        # An HTTP_PROXY of the machine is not for the broker.
        self._opener = build_opener(ProxyHandler({}))

    def put(self, path: str, **body: str) -> None:
        request = Request(self._url + path, orjson.dumps(body), self._headers, method="PUT")  # noqa: S310
        try:
            self._opener.open(request, timeout=_SECONDS).close()
        except HTTPError as refusal:
            raise ManagementRefused(
                f"RabbitMQ's management refused to change {path.partition('/')[0]} ({refusal.code}): "
                "TANDEM_ADMIN_RABBITMQ_URL has to name an administrator, and the vhost has to be there."
            ) from None
        except (OSError, HTTPException) as error:
            raise ManagementRefused(
                f"RabbitMQ's management does not answer ({type(error).__name__}): "
                "see TANDEM_ADMIN_RABBITMQ_URL, and that the plugin rabbitmq_management is enabled."
            ) from None
