"""What URLs of servers say, as those read them who use them."""

import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit


def prefix_of_user(url: str, service: str) -> str | None:
    """What comes before the service's name in the (first) URL's user name: "" or, say, "staging.".

    None where the user is not the service's own, as one that all services share in development.
    """
    user = unquote(urlsplit(url.partition(";amqp")[0]).username or "")
    own = re.fullmatch(rf"(|.*[._-]){re.escape(service)}", user, re.DOTALL)
    return own[1] if own else None


class Login(NamedTuple):
    user: str
    password: str
    vhost: str


def logins(amqp_urls: str) -> list[Login]:
    """Who comes to which vhost of each broker, as kombu reads it."""
    ats = map(urlsplit, amqp_urls.split(";"))
    return [Login(*map(unquote, (at.username or "", at.password or "", at.path[1:] or "/"))) for at in ats]


def port_number(text: str) -> int:
    """A port, or `ValueError`."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise ValueError("must be a port, 1 to 65535")
    return int(text)


def scheme(url: str) -> str | None:
    """The scheme of a URL that can be read, hosts and ports and all."""
    if re.search(r"\s", url):
        return None  # urlsplit passes over some of it, others do not
    try:
        parts = urlsplit(url)
        if not parts.netloc.rpartition("@")[2].partition(":")[0]:
            return None
        if not parts.scheme.startswith("mongodb"):
            _ = parts.port
        elif not all(
            port_number(port) for port in re.findall(r":(\d+)(?=[,/?]|$)", parts.netloc.rpartition("@")[2])
        ):
            return None
    except ValueError:
        return None
    return parts.scheme
