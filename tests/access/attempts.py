"""Which requests: every route, by every caller, to a record of ours, of another practice, and an absent one.

Whoever is not entitled also sends what else is refused: versions, keys, cursors and bodies, right and wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson

from shared.ids import PLATFORM, new_id
from shared.web.allows import _VARIABLE, Guard
from tests.access.bodies import body_of
from tests.access.cast import THEIRS, Caller
from tests.access.expected import About, entitled
from tests.access.records import SCENES, Record, Scene, of_scene
from tests.access.sending import JSON, Request
from tests.access.table import PUBLIC, row

NOISY = 5
"""How many of those who are not entitled to a route send each of what else is refused."""


class Unplanned(Exception):
    """The test does not know enough to try a route."""


@dataclass(frozen=True)
class Target:
    """What a request is sent to: the ids of its path, and what it is about; None is about nothing there."""

    called: str
    ids: Mapping[str, str]
    about: About | None
    scene: Scene
    record: Record | None = None

    def suits(self, caller: Caller) -> bool:
        """Where a path names nothing, everybody asks for what is of their own practice."""
        return bool(self.ids) or (caller.practice == THEIRS) == (self.scene.practice == THEIRS)


@dataclass(frozen=True)
class Attempt:
    caller: Caller
    target: Target
    request: Request
    allowed: bool
    noise: str = ""


@dataclass(frozen=True)
class Route:
    service: str
    method: str
    rule: str
    guard: Guard
    view: Any

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @cached_property
    def variables(self) -> list[str]:
        return _VARIABLE.findall(self.rule)

    @property
    def loads_by(self) -> str | None:
        """The variable that says what a request is about."""
        if self.guard.store and self.variables:
            return self.guard.by or self.variables[-1]
        return "client_id" if "client_id" in self.variables else None

    def asked_for(self, target: "Target") -> str:
        """The id that a path ends with."""
        return target.ids[self.variables[-1]]

    @property
    def changes(self) -> bool:
        return self.guard.changes(self.method)

    def takes(self, place: str) -> Any:
        """The schema of what it takes there."""
        arguments = self.view._apidoc.get("arguments", {}).get("parameters", ())
        return next((one["schema"] for one in arguments if one["in"] == place), None)

    def pages(self) -> bool:
        query = self.takes("query")
        return self.method == "GET" and query is not None and "limit" in query.fields


def routes(service: str, url_map: Any, views: Mapping[str, Any]) -> list[Route]:
    """Those that are not public; one that is has to be known as such."""
    found = []
    for rule in url_map.iter_rules():
        guard = views[rule.endpoint].guard
        if guard.public:
            assert guard.action in PUBLIC, f"{rule.rule} is public: see to PUBLIC of tests/access/table.py."
            continue
        row(guard.action)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append(Route(service, method, rule.rule, guard, views[rule.endpoint]))
    return sorted(found, key=str)


def targets(route: Route, records: Mapping[tuple[str, str], list[Record]]) -> list[Target]:
    if not route.variables:
        home = PLATFORM if route.service == "partners" else None
        return [Target(f"what is {scene.tag}", {}, About(home), scene) for scene in SCENES]
    found = [_target(route, records, scene, number) for scene in SCENES for number in (0, 1)]
    distinct = {(one.scene, one.about): one for one in reversed(found)}
    return [*reversed(distinct.values()), *_never(route, found[0], found[2])]


def _target(
    route: Route, records: Mapping[tuple[str, str], list[Record]], scene: Scene, number: int
) -> Target:
    behind = {name: _record(route, name, records, scene, number) for name in route.variables}
    about = behind[route.loads_by].about if route.loads_by else About()
    record = behind[route.loads_by] if route.loads_by else None
    ids = {name: one.id for name, one in behind.items()}
    return Target(f"{scene.tag}' {number + 1}", ids, about, scene, record)


def _record(
    route: Route, name: str, records: Mapping[tuple[str, str], list[Record]], scene: Scene, number: int
) -> Record:
    found = of_scene(name, scene)
    if found is not None:
        return found
    if (name, scene.tag) not in records:
        raise Unplanned(
            f"{route} has the variable {name}, of which {route.service} has no record: "
            f'add a function with @makes("{name}", "{route.service}") to tests/access/records.py.'
        )
    return records[name, scene.tag][number]


def _never(route: Route, ours: Target, theirs: Target) -> Iterator[Target]:
    """What is not there for anybody."""
    key = route.loads_by or route.variables[-1]
    yield replace(ours, called="absent", ids={**ours.ids, key: "absent-7"}, about=None)
    if len(route.variables) > 1 and route.guard.store and not route.guard.by:
        yield replace(ours, called="mixed", ids={**ours.ids, key: theirs.ids[key]}, about=None)


def plain(route: Route, target: Target, **ids: str) -> Request:
    """As somebody would send it who is entitled and has read what they change."""
    headers = {}
    if route.changes:
        headers["If-Match"] = f'"{target.record.version if target.record else 1}"'
    if route.guard.creates:
        headers["Idempotency-Key"] = new_id()
    path = _VARIABLE.sub(lambda name: target.ids[name[1]], route.rule)
    query = "limit=100" if route.pages() else ""
    schema = route.takes("json")
    if schema is None:
        return Request(route.method, path, query, headers)
    body = orjson.dumps(body_of(schema, target.scene.ids | ids))
    return Request(route.method, path, query, headers, body, JSON)


Noise = Callable[[Request, str, Request | None], Request]


def _with(**headers: str) -> Noise:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request, cursor, made: replace(request, headers=request.headers | named)


def _somebodys_key(request: Request, cursor: str, made: Request | None) -> Request:
    return request if made is None else replace(request, headers=made.headers, body=made.body)


def _head(request: Request, cursor: str, made: Request | None) -> Request:
    return replace(request, method="HEAD") if request.method == "GET" else request


NOISES: dict[str, Noise] = {
    "another version": _with(If_Match='"999"', Idempotency_Key="k"),
    "twisted headers": _with(If_Match="*", Idempotency_Key="", Accept="text/html"),
    "no headers, no body": lambda request, *_: replace(request, headers={}, body=b"", content_type=""),
    "broken body": lambda request, *_: replace(request, body=b'{"', content_type=JSON),
    "another body": lambda request, *_: replace(request, body=b'{"_id": {"$ne": 1}}', content_type=JSON),
    "another type": lambda request, *_: replace(request, content_type="text/plain"),
    "a large body": lambda request, *_: replace(request, body=b'"' + b"x" * 70_000, content_type=JSON),
    "twisted query": lambda request, *_: replace(request, query="limit=%24ne&practice_id=practice-theirs"),
    "somebody's cursor": lambda request, cursor, _: replace(request, query=f"limit=1&cursor={cursor}"),
    "somebody's key": _somebodys_key,
    "only the head": _head,
}


def plan(
    route: Route,
    callers: list[Caller],
    records: Mapping[tuple[str, str], list[Record]],
    cursor: str = "",
    made: Request | None = None,
) -> Iterator[Attempt]:
    """`cursor` and `made` are what somebody entitled was given, and how they made something."""
    there = targets(route, records)
    requests = {target.called: plain(route, target) for target in there}
    for number, caller in enumerate(callers):
        for target in _tried_by(route, caller, there, number):
            yield Attempt(caller, target, requests[target.called], allowed(route, caller, target))
    denied = [caller for caller in callers if not allowed(route, caller, there[0])]
    for number, (name, noise) in enumerate(NOISES.items()):
        for caller in _some(denied, number + len(route.rule)):
            yield Attempt(caller, there[0], noise(requests[there[0].called], cursor, made), False, name)


def _tried_by(route: Route, caller: Caller, there: list[Target], number: int) -> Iterator[Target]:
    """All that they may, the first, and of the others one, which is another for each caller and route."""
    suiting = [one for one in there if one.suits(caller)]
    others = suiting[1:] if caller.signed_in else []
    turn = (number + len(route.rule)) % max(1, len(others))
    yield suiting[0]
    yield from (one for at, one in enumerate(others) if at == turn or allowed(route, caller, one))


def allowed(route: Route, caller: Caller, target: Target) -> bool:
    return target.about is not None and entitled(caller, route.guard.action, target.about)


def _some(callers: list[Caller], first: int) -> list[Caller]:
    """NOISY of them, others each time."""
    step = max(1, len(callers) // NOISY)
    return callers[first % step :: step]
