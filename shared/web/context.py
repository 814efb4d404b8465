"""What a view may ask for: who calls, the service's database and settings, the service itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import current_app, g

from shared.security.access import Standings
from shared.security.caller import Caller
from shared.security.tokens import Verifier

if TYPE_CHECKING:
    from shared.settings import Settings


@dataclass
class Web:
    """One application's own things, kept in its `extensions`."""

    service: Any
    settings: "Settings"
    database: Any
    verifier: Verifier
    problems: Mapping[type[Exception], int]
    readings: dict[str, str] = field(default_factory=dict)
    """By the rule of a route that makes something, where it is read: see creates.py."""

    @cached_property
    def cursor_key(self) -> bytes:
        return self.settings.key("cursors")

    @cached_property
    def fingerprint_key(self) -> bytes:
        return self.settings.key("fingerprints")


def web() -> Web:
    found: Web = current_app.extensions["tandem"]
    return found


def caller() -> Caller:
    """Who calls; there is none on a public route."""
    found: Caller = g.caller
    return found


def standings() -> Standings:
    """Why the caller was let in: in what roles and relations they stand to what the request is about."""
    found: Standings = g.standings
    return found


def database() -> Any:
    return web().database


def settings() -> "Settings":
    return web().settings


def service() -> Any:
    return web().service
