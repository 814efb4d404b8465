"""Who may call a route: asked first of all, so that nothing about a foreign record shows.

The order is a promise: the token (401), the entitlement (404, the same for absent and denied), the
version seen (428, 412), and only then query and body (400, 413, 415, 422).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, g, request

from shared.security.policy import POLICY, permits
from shared.security.tokens import TokenRefused
from shared.web.context import caller, database, service, web
from shared.web.parser import refuse_unexpected
from shared.web.refusals import NotHere, TokenInvalid, TokenNeeded, VersionDiffers, VersionNeeded

View = Callable[..., Any]
Store = Callable[[], Any]
V = TypeVar("V", bound=View)

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_HOW_TO_SIGN_IN = "Get an access token from practices and send it as: Authorization: Bearer <token>."
_READ_AGAIN = "Read it again, look at what changed, and send the one ETag you got as If-Match."


class RouteRefused(Exception):
    """A route does not say who may call it."""


@dataclass(frozen=True)
class Guard:
    """What `@allows` says of a route."""

    action: str
    store: Store | None
    public: bool
    repeatable: bool
    creates: bool
    takes: frozenset[str]
    inner: View
    by: str | None
    own: bool

    def changes(self, method: str) -> bool:
        """Whether a request by this method changes the aggregate that was loaded."""
        once = self.creates or self.repeatable
        return self.store is not None and not once and method not in SAFE


class Absent:
    """Stands where nothing was found: asked for any field it costs the same look-ups as a foreign one."""

    def __getattr__(self, name: str) -> str:
        return ""


def allows(
    action: str,
    store: Store | None = None,
    *,
    by: str | None = None,
    own: bool = False,
    public: bool = False,
    repeatable: bool = False,
) -> Callable[[V], V]:
    """Let only those call the route below whom POLICY permits `action`; the outermost decorator.

    `store` is a function that gives a store: the aggregate that the path's last variable names, or
    the one called `by`, or the caller's `own` practice, is loaded from it and handed to the view first; every
    method but GET then needs If-Match. `public`:
    no token is asked for, and the action has no row. `repeatable`: it may be sent twice without harm and
    whatever was seen before, so it needs neither Idempotency-Key nor If-Match.
    """

    def decorate(view: V) -> V:
        makes = getattr(view, "creates", False)
        guard = Guard(action, store, public, repeatable, makes, _takes(view), view, by, own)

        @wraps(view)
        def guarded(*args: Any, **path: Any) -> Any:
            if public:
                refuse_unexpected(guard.takes)
                return view(*args, **path)
            g.caller = _identified()
            args = _entitled(guard, path)
            refuse_unexpected(guard.takes)
            return view(*args, **path)

        vars(guarded)["guard"] = guard
        vars(guarded)["_apidoc"] = {**getattr(view, "_apidoc", {}), "guard": guard}
        return guarded  # type: ignore[return-value]

    return decorate


def _takes(view: View) -> frozenset[str]:
    arguments = getattr(view, "_apidoc", {}).get("arguments", {})
    return frozenset(parameter["in"] for parameter in arguments.get("parameters", ()))


def _identified() -> Any:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenNeeded(_HOW_TO_SIGN_IN)
    try:
        return web().verifier.verify(token.strip())
    except TokenRefused as error:
        raise TokenInvalid(_HOW_TO_SIGN_IN) from error


def _entitled(guard: Guard, path: dict[str, Any]) -> tuple[Any, ...]:
    """The loaded aggregate, if there is one to load, as the view's first arguments."""
    found = target = None
    if guard.store:
        mine = caller().practice_id
        found = guard.store().look(mine, mine if guard.own else path.pop(guard.by or _last_variable()))
        target = Absent() if found is None else found
    elif "client_id" in path:
        target = path["client_id"]
    # Asked even where nothing was found: absent and denied cost the same commands.
    standings = _standings(guard.action, target)
    if not permits(guard.action, standings):
        raise NotHere
    g.standings = standings
    if not guard.store:
        return ()
    if found is None or any(getattr(found, name, value) != value for name, value in path.items()):
        raise NotHere
    if guard.changes(request.method):
        _require_version(found)
    # Only now, since keys are looked for where something is under lock.
    return (guard.store().open(found),)


def may(action: str, target: Any) -> bool:
    """Whether the caller may take another action than the one that their request was let in by."""
    return permits(action, _standings(action, target))


def _standings(action: str, target: Any) -> Any:
    try:
        return service().standings(database(), caller(), action, target)
    except TokenRefused as error:
        # Its sign-in has ended: whoever has another token, or a refresh token, comes in again.
        raise TokenInvalid(_HOW_TO_SIGN_IN) from error


def _last_variable() -> str:
    return _VARIABLE.findall(str(request.url_rule))[-1]


def _require_version(found: Any) -> None:
    seen = request.headers.get("If-Match")
    if seen is None:
        raise VersionNeeded("Read it first and send its ETag as If-Match.")
    # A weak tag, a list or * does not name the version that somebody looked at (RFC 9110, 13.1.1).
    if seen.strip() != etag(found):
        raise VersionDiffers(_READ_AGAIN)


def etag(aggregate: Any) -> str:
    return f'"{aggregate.version}"'


def require_guards(app: Flask) -> None:
    """Raise `RouteRefused` for the first route that does not say, rightly and outermost, who may call it."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        guard = getattr(view, "guard", None)
        wrong = _wrong(rule.methods or set(), view, guard)
        if wrong:
            raise RouteRefused(f"Route {' '.join(sorted(rule.methods or ()))} {rule.rule} {wrong}.")
        if guard and guard.store and not (guard.own or _VARIABLE.search(rule.rule)):
            raise RouteRefused(f"Route {rule.rule} loads from a store and has no variable to load by.")


def _wrong(methods: set[str], view: View, guard: Guard | None) -> str | None:
    # Decorators above copy the attributes of what they wrap, so only the outermost one wraps `inner`.
    if guard is None or getattr(view, "__wrapped__", None) is not guard.inner:
        return "has no @allows directly below its route, so nobody knows who may call it"
    if guard.public and guard.action in POLICY:
        return f"is public, but POLICY restricts {guard.action}"
    if not guard.public and guard.action not in POLICY:
        return f"names the action {guard.action}, which has no row in POLICY"
    settled = guard.public or guard.store or guard.creates or guard.repeatable
    if not methods <= SAFE and not settled:
        return "changes something: let it create, load an aggregate, or say repeatable=True"
    return None
