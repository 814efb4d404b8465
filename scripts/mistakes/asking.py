"""Mistakes in who may, in what is asked first, in repeats, pages and the store."""

from scripts.mistakes.trying import Mistake, routes

POLICY = "shared/security/policy.py"
ALLOWS = "shared/web/allows.py"
CREATES = "shared/web/creates.py"
CURSORS = "shared/web/cursors.py"
PROBLEMS = "shared/web/problems.py"
AGGREGATES = "shared/store/aggregates.py"
RECORDS = "shared/store/records.py"
TABLE = "tests/access/test_table.py"
ORDER = "tests/shared/web/test_order.py"
PAGES = "tests/shared/web/test_cursors.py"
MAKING = "tests/shared/web/test_creates.py"

OF_FEEDBACK = routes("feedback", "GET /v1/feedback/")
AGREEING = routes("goals", "/agreement")
OF_GOAL = routes("goals", "GET /v1/goals/")
OF_GOALS = routes("goals", "GET /v1/clients")

MISTAKES = (
    # The policy
    Mistake(
        "owners read goals",
        POLICY,
        '"goal.read": _READERS | _GRANTED,',
        '"goal.read": _READERS | _GRANTED | _MANAGERS,',
        OF_GOAL,
    ),
    Mistake(
        "apps read feedback",
        POLICY,
        '"feedback.read": _READERS,',
        '"feedback.read": _READERS | _GRANTED,',
        OF_FEEDBACK,
    ),
    Mistake(
        "anybody of the practice agrees to a goal",
        POLICY,
        '"goal.agree": _BOTH,',
        '"goal.agree": _BOTH | _PRACTICE,',
        AGREEING,
    ),
    Mistake(
        "a client may not list their own goals",
        POLICY,
        '"goal.list": _READERS | _GRANTED,',
        '"goal.list": _CLINICIAN | _GRANTED,',
        OF_GOALS,
    ),
    Mistake(
        "a clinician consents for the client",
        POLICY,
        '"consent.give": _CLIENT,',
        '"consent.give": _BOTH,',
        routes("practices", "PUT /v1/clients"),
    ),
    Mistake(
        "colleagues suspend each other",
        POLICY,
        '"member.suspend": _MANAGERS,',
        '"member.suspend": _STAFF,',
        routes("practices", "/suspension"),
    ),
    Mistake(
        "the clinician hears of the wish for another",
        POLICY,
        '"wish.list": _MANAGERS | {("supervisor", "practice")},',
        '"wish.list": _CARE | {("supervisor", "practice")},',
        TABLE,
    ),
    Mistake(
        "the policy is asked the wrong way round",
        POLICY,
        "return not POLICY[action].isdisjoint(standings)",
        "return POLICY[action].isdisjoint(standings)",
        OF_GOAL,
    ),
    Mistake(
        "rights of two roles add up",
        POLICY,
        "return not POLICY[action].isdisjoint(standings)",
        "roles, relations = {role for role, _ in standings}, {relation for _, relation in standings}\n"
        "    return any(role in roles and relation in relations for role, relation in POLICY[action])",
        OF_GOAL,
    ),
    # What is asked first
    Mistake(
        "the entitlement is not asked",
        ALLOWS,
        "    if not permits(guard.action, standings):\n        raise NotHere\n",
        "",
        OF_GOAL,
    ),
    Mistake(
        "who is not entitled is told so",
        ALLOWS,
        "        raise NotHere\n    g.standings",
        '        __import__("flask").abort(403)\n    g.standings',
        OF_GOAL,
    ),
    Mistake(
        "the version is asked before the entitlement",
        ALLOWS,
        "        target = Absent() if found is None else found\n",
        "        target = Absent() if found is None else found\n"
        "        if found is not None and guard.changes(request.method):\n"
        "            _require_version(found)\n",
        AGREEING,
    ),
    Mistake(
        "query and body are read before the entitlement",
        ALLOWS,
        "            args = _entitled(guard, path)\n            refuse_unexpected(guard.takes)\n",
        "            refuse_unexpected(guard.takes)\n            args = _entitled(guard, path)\n",
        AGREEING,
    ),
    Mistake(
        "an absent record costs less than a foreign one",
        ALLOWS,
        "        target = Absent() if found is None else found\n",
        "        if found is None:\n            raise NotHere\n        target = found\n",
        OF_GOAL,
    ),
    Mistake(
        "what is under lock is opened before the entitlement",
        ALLOWS,
        "found = guard.store().look(mine, mine if guard.own",
        "found = guard.store().find(mine, mine if guard.own",
        routes("practices", "GET /v1/episodes/"),
    ),
    Mistake(
        "the ETag is shown to who is not entitled",
        ALLOWS,
        "        target = Absent() if found is None else found\n",
        "        target = Absent() if found is None else found\n"
        '        __import__("flask").after_this_request(\n'
        "            lambda answer: (found and answer.headers.set('ETag', etag(found))) or answer)\n",
        OF_GOAL,
    ),
    Mistake(
        "any version will do",
        ALLOWS,
        "if seen.strip() != etag(found):",
        'if seen.strip() not in (etag(found), "*"):',
        ORDER,
    ),
    Mistake(
        "the other variables of a path are not compared",
        ALLOWS,
        "if found is None or any(getattr(found, name, value) != value for name, value in path.items()):",
        "if found is None:",
        ORDER,
    ),
    Mistake(
        "a refusal of ours is not an unknown address's",
        PROBLEMS,
        "return _of_refusal(_NOT_HERE if error.status == HTTPStatus.NOT_FOUND else error)",
        "return _of_refusal(error)",
        OF_GOAL,
    ),
    Mistake(
        "the domain's 404 names what is missing",
        PROBLEMS,
        "    if status == HTTPStatus.NOT_FOUND:\n        return _of_refusal(_NOT_HERE)\n",
        "",
        routes("practices", "POST /v1/clients/"),
    ),
    # Repeats and pages
    Mistake(
        "an Idempotency-Key is anybody's",
        CREATES,
        'derived_from("request", by.practice_id, by.kind, by.id, *route, key)',
        'derived_from("request", by.practice_id, *route, key)',
        routes("goals", "POST /v1/clients"),
    ),
    Mistake(
        "an Idempotency-Key is of all practices",
        CREATES,
        'derived_from("request", by.practice_id, by.kind, by.id, *route, key)',
        'derived_from("request", by.kind, by.id, *route, key)',
        MAKING,
    ),
    Mistake(
        "an Idempotency-Key is of all routes",
        CREATES,
        "by.kind, by.id, *route, key)",
        "by.kind, by.id, key)",
        MAKING,
    ),
    Mistake(
        "a cursor is not signed",
        CURSORS,
        "return str(cursors.loads(cursor))",
        "return str(cursors.loads_unsafe(cursor)[1])",
        PAGES,
    ),
    Mistake(
        "a cursor is anybody's",
        CURSORS,
        "bound = [by.practice_id, by.kind, by.id, request.endpoint,",
        "bound = [request.endpoint,",
        PAGES,
    ),
    # The store
    Mistake(
        "aggregates are found in any practice",
        AGGREGATES,
        'self.collection.find_one({"practice_id": practice_id, **equals}, HIDDEN)',
        "self.collection.find_one(equals, HIDDEN)",
        routes("practices", "GET /v1/members/"),
    ),
    Mistake(
        "lists are of all practices",
        AGGREGATES,
        'page(self.collection, {"practice_id": practice_id, **where}, limit, after, order)',
        "page(self.collection, where, limit, after, order)",
        routes("practices", "GET /v1/members"),
    ),
    Mistake(
        "a member of another practice is one of ours",
        RECORDS,
        'self._collection.find_one({"_id": id, "practice_id": practice_id})',
        'self._collection.find_one({"_id": id})',
        routes("notifications", "GET /v1/notifications"),
    ),
    Mistake(
        "a grant of another practice counts",
        RECORDS,
        'self._collection.find({"practice_id": practice_id, **where})',
        "self._collection.find(where)",
        OF_GOAL,
    ),
)
