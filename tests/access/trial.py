"""What is wrong with the answers that a service gives: one sentence each, nothing where all is well."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from shared.web.schemas import Id
from tests.access.attempts import Attempt, Route, Target, Unplanned, allowed, plain, plan, routes, targets
from tests.access.bodies import NoExample
from tests.access.cast import Caller
from tests.access.expected import entitled
from tests.access.records import SCENES, Record
from tests.access.sending import Answer, Request
from tests.access.world import WRITES, Command, World

LET_IN = {200, 201, 202, 204, 400, 403, 409, 412, 415, 422, 428}
"""What proves that somebody got past the entitlement."""
THEIR_IDS = {name: id for name, id in SCENES[1].ids.items() if name != "app_id"}
"""Apps are of no practice."""


class Trial:
    """One world; every attempt is counted."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.routes = routes(world.service.name, world.app.url_map, world.app.view_functions)
        self.made = 0
        reading = (route for route in self.routes if route.method == "GET")
        self._somewhere = plain(one := next(reading), targets(one, world.records)[0]).path
        self._refusals: dict[tuple[str, str], Answer] = {}
        self._hidden: dict[Caller, list[Record]] = {}

    def wrong(self, route: Route) -> Iterator[str]:
        """Everything that is wrong with this route, or why that cannot be told."""
        try:
            yield from self._wrong(route)
        except (Unplanned, NoExample) as error:
            yield str(error)

    def _wrong(self, route: Route) -> Iterator[str]:
        made, cursor = self._something_made(route), self._a_cursor(route)
        costs: dict[tuple[Caller, str], tuple[Command, ...]] = {}
        with self.world.after(made):
            for attempt in plan(route, self.world.callers, self.world.records, cursor, made and made[1]):
                if attempt.allowed:
                    continue
                answer, cost = self._ask(attempt.caller, attempt.request)
                yield from self._refused(route, attempt, answer, cost)
                costs.setdefault((attempt.caller, attempt.target.called), cost)
                if cost != costs[attempt.caller, attempt.target.called]:
                    yield f"{_told(route, attempt)}: costs {cost}, and without that another number"
        yield from _told_apart(route, costs)
        for attempt in plan(route, self.world.callers, self.world.records):
            if attempt.allowed:
                yield from self._let_in(route, attempt)
        if made:
            yield from self._repeated_by_others(route, *made)

    def planned(self) -> Iterator[int]:
        """How many attempts there are at least, route by route."""
        for route in self.routes:
            yield sum(1 for _ in plan(route, self.world.callers, self.world.records))

    # Who is not entitled

    def _refused(
        self, route: Route, attempt: Attempt, answer: Answer, cost: tuple[Command, ...]
    ) -> Iterator[str]:
        wanted = self._refusal(attempt.caller, attempt.request.method)
        if answer != wanted:
            yield f"{_told(route, attempt)}: {answer.status} {answer.body[:200]!r} instead of {wanted.status}"
        if any(command in WRITES for command, _ in cost):
            yield f"{_told(route, attempt)}: writes, {cost}"
        if cost and not attempt.caller.signed_in and attempt.caller.claims != "ended":
            yield f"{_told(route, attempt)}: asks the database before the token, {cost}"

    def _refusal(self, caller: Caller, method: str) -> Answer:
        """The one answer for whoever is not entitled, as an address that nobody has is answered."""
        kind = caller.claims, "HEAD" if method == "HEAD" else "GET"
        if kind not in self._refusals:
            path = "/v1/nothing-at-all" if caller.signed_in else self._somewhere
            answer = self.world.ask(caller, Request(kind[1], path))[0]
            assert answer.status == (404 if caller.signed_in else 401), answer
            self._refusals[kind] = answer
        return self._refusals[kind]

    # Who is entitled

    def _let_in(self, route: Route, attempt: Attempt) -> Iterator[str]:
        answer, _ = self._ask(attempt.caller, attempt.request)
        if answer.status not in LET_IN or (route.method == "GET" and answer.status != 200):
            yield f"{_told(route, attempt)}: {answer.status} {answer.body[:200]!r} for who is entitled"
            return
        yield from self._words(route, attempt, answer)
        if route.method == "GET":
            yield from self._shown(route, attempt, answer)
        if route.changes:
            yield from self._status(route, attempt, 428, replace(attempt.request, headers={}))
            stale = replace(attempt.request, headers={"If-Match": '"999"'})
            yield from self._status(route, attempt, 412, stale)
        if route.guard.creates:
            yield from self._status(route, attempt, 400, replace(attempt.request, headers={}))
        yield from self._foreign_ids(route, attempt)

    def _status(self, route: Route, attempt: Attempt, wanted: int, request: Request) -> Iterator[str]:
        answer, _ = self._ask(attempt.caller, request)
        if answer.status != wanted:
            yield f"{_told(route, attempt)}: {answer.status} {answer.body[:200]!r} instead of {wanted}"

    def _words(self, route: Route, attempt: Attempt, answer: Answer) -> Iterator[str]:
        """Nothing is in it that this caller may not read, wherever it comes from."""
        for record in self._hidden_from(attempt.caller):
            for word in record.words:
                if _says(answer.body, word):
                    yield f"{_told(route, attempt)}: shows {word}, which is not for them"

    def _hidden_from(self, caller: Caller) -> list[Record]:
        if caller not in self._hidden:
            hidden = [one for one in self.world.planted if not entitled(caller, one.read, one.about)]
            self._hidden[caller] = hidden
        return self._hidden[caller]

    def _shown(self, route: Route, attempt: Attempt, answer: Answer) -> Iterator[str]:
        """What is there is shown, page by page the same, and the same if what they may not read were not."""
        document = answer.json
        if route.pages():
            yield from self._paged(route, attempt, document["items"])
            yield from self._asked_by_id(route, attempt)
            yield from self._listed(route, attempt, [str(one.get("id")) for one in document["items"]])
        elif route.rule.endswith(">") and not _says(answer.body, route.asked_for(attempt.target)):
            yield f"{_told(route, attempt)}: does not show {route.asked_for(attempt.target)}"
        if route.pages() or not route.variables:
            hidden = [one for one in self._hidden_from(attempt.caller) if one.about != attempt.target.about]
            with self.world.without(hidden):
                again, _ = self._ask(attempt.caller, attempt.request)
            if again != answer:
                yield f"{_told(route, attempt)}: is another without what they may not read, {again.body!r}"

    def _asked_by_id(self, route: Route, attempt: Attempt) -> Iterator[str]:
        """Whoever asks for what is of one clinician sees no more of it than without asking."""
        for name, field in route.takes("query").fields.items():
            if isinstance(field, Id):
                asked = replace(attempt.request, query=f"limit=100&{name}={attempt.target.scene.clinician}")
                answer, _ = self._ask(attempt.caller, asked)
                yield from self._words(route, attempt, answer)

    def _paged(self, route: Route, attempt: Attempt, items: list[Any]) -> Iterator[str]:
        limit, found, cursor = max(1, len(items) // 2), [], ""
        for _ in range(4):
            query = f"limit={limit}{cursor}"
            answer, _ = self._ask(attempt.caller, replace(attempt.request, query=query))
            page = answer.json
            found += page["items"]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        if found != items or page["next"] is not None:
            yield f"{_told(route, attempt)}: pages do not give the list"

    def _listed(self, route: Route, attempt: Attempt, ids: list[str]) -> Iterator[str]:
        """A list of one client, person or app has all that they may read of it."""
        noun = route.rule.rpartition("/")[2].removesuffix("s").replace("-", "_")
        for record in self.world.records.get((f"{noun}_id", "ours"), ()):
            one = record.about.client or record.about.person or record.about.app
            about = attempt.target.about
            whose = (about and (about.client or about.person or about.app)) or attempt.caller.id
            if one == whose and entitled(attempt.caller, record.read, record.about) and record.id not in ids:
                yield f"{_told(route, attempt)}: does not list {record.id}"

    def _foreign_ids(self, route: Route, attempt: Attempt) -> Iterator[str]:
        """An id of another practice in a body is answered as one that nobody has, and never taken."""
        ours = attempt.target.scene.ids
        theirs = {name: id for name, id in THEIR_IDS.items() if id != ours[name]}
        absent = dict.fromkeys(theirs, "absent-7")
        requests = [plain(route, attempt.target, **ids) for ids in (theirs, absent)]
        if not route.takes("json") or requests[0].body == attempt.request.body:
            return
        asked = [replace(one, headers=requests[0].headers) for one in requests]
        (foreign, cost), (nobodys, usual) = (self._ask(attempt.caller, one) for one in asked)
        taken = foreign.status < 300 and any(command in WRITES for command, _ in cost)
        if foreign != nobodys or taken or cost != usual:
            yield (
                f"{_told(route, attempt)}: {foreign.status} {foreign.body[:200]!r} to an id of another "
                f"practice, {nobodys.status} to one that is not there; {cost} and {usual}"
            )

    # What others made before

    def _something_made(self, route: Route) -> tuple[Caller, Request] | None:
        """Who makes something by this route, and how."""
        if not route.guard.creates:
            return None
        for caller, target in self._entitled(route):
            request = plain(route, target)
            if self.world.ask(caller, request)[0].status == 201:
                return caller, request
        return None

    def _a_cursor(self, route: Route) -> str:
        if route.pages():
            for caller, target in self._entitled(route):
                request = replace(plain(route, target), query="limit=1")
                following = self.world.ask(caller, request)[0].json.get("next")
                if following:
                    return str(following)
        return ""

    def _entitled(self, route: Route) -> Iterator[tuple[Caller, Target]]:
        for target in targets(route, self.world.records):
            for caller in self.world.callers:
                if allowed(route, caller, target) and target.suits(caller):
                    yield caller, target

    def _repeated_by_others(self, route: Route, maker: Caller, request: Request) -> Iterator[str]:
        """A key is its caller's own: another's request with it is no repeat."""
        with self.world.after((maker, request)) as first:
            for caller, target in self._entitled(route):
                if caller == maker or plain(route, target).path != request.path:
                    continue
                answer, _ = self._ask(caller, request)
                if answer.status == 200 or (answer.status == 201 and _says(answer.body, first.json["id"])):
                    yield f"{route} as {caller}: repeats what {maker} made, {answer.body[:200]!r}"

    def _ask(self, caller: Caller, request: Request) -> tuple[Answer, tuple[Command, ...]]:
        self.made += 1
        return self.world.ask(caller, request)


def _told(route: Route, attempt: Attempt) -> str:
    with_what = f" with {attempt.noise}" if attempt.noise else ""
    return f"{route} as {attempt.caller}, to {attempt.target.called}{with_what}"


def _says(body: bytes, word: str) -> bool:
    return word.encode() in body


def _told_apart(route: Route, costs: dict[tuple[Caller, str], tuple[Command, ...]]) -> Iterator[str]:
    """By what it costs, a foreign record is no other than an absent one."""
    by_caller: dict[Caller, dict[str, tuple[Command, ...]]] = {}
    for (caller, called), cost in costs.items():
        by_caller.setdefault(caller, {})[called] = cost
    for caller, found in by_caller.items():
        if len(set(found.values())) > 1:
            yield f"{route} as {caller}: one can tell {found} apart"
