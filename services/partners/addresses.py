"""Which URLs an app may register, and which network addresses the sender may dial.

Two checks, and only the second protects: a name's address is known when it is dialled and may differ
each time. So the form of a URL is checked once, and every address again on the socket about to use it.
"""

import errno
import ipaddress
import re
import socket
from collections.abc import Callable
from typing import Any

LONGEST_URL = 2048
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = "[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HERE = r"localhost|127\.0\.0\.1|\[::1\]"
_PORT = "(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
_REST = r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"

URL_FORM = rf"^https?://(?:(?:{_LABEL}\.){{1,5}}{_TOP}|{_HERE}){_PORT}{_REST}$"
"""A host is a name with a dot and a top label that begins with a letter: every other way of writing an
IP address (decimal, octal, hex, short, mapped) is out by form. No user, no fragment, ASCII only."""

_PRODUCTION_FORM = rf"^https://(?:{_LABEL}\.){{1,5}}{_TOP}(?::(?:443|8443))?{_REST}$"


class UrlRefused(Exception):
    """Webhooks are not sent to this URL."""


class AddressRefused(PermissionError):
    """The name leads to an address that is not on the public Internet."""


def check_url(url: str, development: bool) -> None:
    """Raise `UrlRefused` for what is never to be called; plain http and this machine only in development."""
    form = URL_FORM if development else _PRODUCTION_FORM
    if len(url) > LONGEST_URL or not re.fullmatch(form, url, re.ASCII):
        raise UrlRefused(
            "Give an https URL with a host name, port 443 or 8443, no user and no fragment, "
            f"at most {LONGEST_URL} characters long."
        )


# IANA special-purpose registries (2025), written out because `is_private` and `is_global` of Python 3.11
# let dangerous forms through; and 168.63.129.16, where every Azure machine finds its platform.
_NOT_PUBLIC_V4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
# What lies outside 2000::/3 (mapped, NAT64, unique local, SRv6, multicast) needs no line.
_NOT_PUBLIC_V6 = (
    "2001::/23",  # Teredo, benchmarking, ORCHID and other protocol assignments
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3ffe::/16",  # the former 6bone
    "3fff::/20",  # documentation
)
_GLOBAL_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC = tuple(ipaddress.ip_network(net) for net in (*_NOT_PUBLIC_V4, *_NOT_PUBLIC_V6))
_THIS_MACHINE = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))


def may_dial(address: str, development: bool = False) -> bool:
    """Whether this literal IP address is on the public Internet, or on this machine in development."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if development and any(ip in net for net in _THIS_MACHINE):
        return True
    if ip.version == 6 and (ip.scope_id or ip not in _GLOBAL_UNICAST_V6):
        return False
    return not any(ip in net for net in _NOT_PUBLIC)


def checking_sockets(development: bool) -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp that makes none for an address that must not be dialled."""

    def checked(address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if family not in (socket.AF_INET, socket.AF_INET6) or not may_dial(address[0], development):
            raise AddressRefused(errno.EACCES, "This address is not on the public Internet.")
        return socket.socket(family, kind, protocol)

    return checked
