"""The mistakes: realistic ones about who may see whom, each with the tests that have to see it.

Where the source changes, change the old text here with it: a mistake that cannot be made is told.
"""

from scripts.mistakes.trying import Mistake

POLICY = "shared/security/policy.py"
ALLOWS = "shared/web/allows.py"
CREATES = "shared/web/creates.py"
CURSORS = "shared/web/cursors.py"
PROBLEMS = "shared/web/problems.py"
TOKENS = "shared/security/tokens.py"
ACCESS = "shared/security/access.py"
AGGREGATES = "shared/store/aggregates.py"
RECORDS = "shared/store/records.py"
INBOX = "services/notifications/store.py"
PARTNERS = "services/partners/api.py"
ENDPOINTS = "services/partners/store.py"
OWN_ACCESS = "services/practices/access.py"
CLIENTS = "services/practices/api/clients.py"
EPISODES = "services/practices/api/episodes.py"
MEMBERS = "services/practices/domain/members.py"
SIGN_IN = "services/practices/sign_in.py"

TABLE = "tests/access/test_table.py"
FORGED = "tests/shared/security/test_tokens.py"
ORDER = "tests/shared/web/test_order.py"
PAGES = "tests/shared/web/test_cursors.py"
MAKING = "tests/shared/web/test_creates.py"
GOALS = "tests/goals/test_api.py"
RELATIONS = "tests/practices/test_access.py"
PRACTICES = "tests/practices/test_api.py"
CODES = "tests/practices/test_sign_in.py"


def routes(service: str, which: str) -> str:
    """The generated test, of those routes of a service that hold this text."""
    return f"tests/access/test_access.py -k '{service} and whom' --routes '{which}'"


OF_GOAL, OF_GOALS = routes("goals", "GET /v1/goals/"), routes("goals", "GET /v1/clients")
OF_FEEDBACK = routes("feedback", "GET /v1/feedback/")
AGREEING = routes("goals", "/agreement")

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
        '"wish.list": _SUPERVISOR | _MANAGERS,',
        '"wish.list": _SUPERVISOR | _MANAGERS | _CLINICIAN,',
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
    # Tokens
    Mistake(
        "a token of another type is taken",
        TOKENS,
        '(header["alg"], header["typ"]) != ("ES256", "at+jwt")',
        'header["alg"] != "ES256"',
        FORGED,
    ),
    Mistake(
        "a token for another audience is taken",
        TOKENS,
        'if claims.get("iss") != self._issuer or claims.get("aud") != self._audience:',
        'if claims.get("iss") != self._issuer:',
        FORGED,
    ),
    Mistake(
        "a token of another issuer is taken",
        TOKENS,
        'if claims.get("iss") != self._issuer or claims.get("aud") != self._audience:',
        'if claims.get("aud") != self._audience:',
        FORGED,
    ),
    Mistake(
        "an expired token is taken",
        TOKENS,
        "if verified.expires <= self._clock():",
        "if verified.expires <= 0:",
        OF_GOAL,
    ),
    Mistake(
        "a token may live for ever",
        TOKENS,
        "if not 0 < expires - issued <= LIFETIME:",
        "if not 0 < expires - issued:",
        FORGED,
    ),
    Mistake(
        "a signature is not looked at",
        TOKENS,
        'jws.deserialize_compact(token, key, algorithms=["ES256"])',
        "pass",
        OF_GOAL,
    ),
    Mistake(
        "an unknown kid is trusted",
        TOKENS,
        "return self._keys.get(kid)",
        "return self._keys.get(kid) or next(iter(self._keys.values()), None)",
        FORGED,
    ),
    Mistake(
        "a header may carry its own key",
        TOKENS,
        'if header.keys() != {"alg", "typ", "kid"} or',
        'if not header.keys() >= {"alg", "typ", "kid"} or',
        FORGED,
    ),
    # Relations, by what other services know
    Mistake(
        "suspension is ignored",
        ACCESS,
        'if member is None or not member["active"]:',
        "if member is None:",
        OF_GOAL,
    ),
    Mistake(
        "a suspension is not heard",
        ACCESS,
        'yield project("members", event.data["member_id"], {"active": False})',
        'yield project("members", event.data["member_id"], {"left": True})',
        GOALS,
    ),
    Mistake(
        "episodes that are over count",
        ACCESS,
        'sorted((episode for episode in found if episode.get("active")), key',
        "sorted(found, key",
        OF_GOAL,
    ),
    Mistake(
        "consent is not asked",
        ACCESS,
        'if granted and consent and consent["active"] else set()',
        "if granted else set()",
        OF_GOAL,
    ),
    Mistake(
        "a consent that was withdrawn counts",
        ACCESS,
        'if granted and consent and consent["active"] else set()',
        "if granted and consent else set()",
        OF_GOAL,
    ),
    Mistake(
        "the scopes of a grant are not asked",
        ACCESS,
        'any(grant["active"] and action in grant["scopes"] for grant in grants)',
        'any(grant["active"] for grant in grants)',
        OF_GOAL,
    ),
    Mistake(
        "a grant that was revoked counts",
        ACCESS,
        'any(grant["active"] and action in grant["scopes"] for grant in grants)',
        'any(action in grant["scopes"] for grant in grants)',
        OF_GOAL,
    ),
    Mistake(
        "every clinician cares for every client",
        ACCESS,
        'any(episode["clinician_id"] == caller.id for episode in episodes)',
        "bool(episodes)",
        OF_GOAL,
    ),
    Mistake(
        "who was a clinician once still is",
        ACCESS,
        'if "clinician" in roles and any(',
        "if any(",
        OF_GOAL,
    ),
    Mistake(
        "every client is each of them",
        ACCESS,
        'own = {("client", "self")} if client_id == caller.id else set()',
        'own = {("client", "self")}',
        OF_GOAL,
    ),
    Mistake(
        "an entitlement is remembered for an hour",
        ACCESS,
        "KEPT = 1.0",
        "KEPT = 3_600.0",
        GOALS,
    ),
    Mistake(
        "an entitlement to one client is remembered for all",
        ACCESS,
        "key = (database.name, caller, action, client_id, own)",
        "key = (database.name, caller, action, own)",
        GOALS,
    ),
    # What is of one person, or one app
    Mistake(
        "another person's notification is marked as read",
        ACCESS,
        'getattr(target, "person_id", caller.id) == caller.id',
        "caller.id is not None",
        routes("notifications", "PUT"),
    ),
    Mistake(
        "the inbox is everybody's",
        INBOX,
        'where = {"practice_id": practice_id, "person_id": person_id}\n',
        'where = {"practice_id": practice_id}\n',
        routes("notifications", "GET /v1/notifications"),
    ),
    Mistake(
        "the count is of everybody's inbox",
        INBOX,
        'where = {"practice_id": practice_id, "person_id": person_id, "read_at": None}',
        'where = {"practice_id": practice_id, "read_at": None}',
        routes("notifications", "/unread"),
    ),
    Mistake(
        "an app sees another's endpoint",
        PARTNERS,
        "own = target is None or target.app_id == by.id",
        "own = True",
        routes("partners", "GET /v1/endpoints/"),
    ),
    Mistake(
        "an app lists all endpoints",
        ENDPOINTS,
        'return self.list(PLATFORM, {"app_id": app_id}, limit',
        "return self.list(PLATFORM, {}, limit",
        routes("partners", "GET /v1/endpoints"),
    ),
    Mistake(
        "an endpoint lists all deliveries",
        ENDPOINTS,
        'page(self._collection, {"endpoint_id": endpoint_id}, limit',
        "page(self._collection, {}, limit",
        routes("partners", "/deliveries"),
    ),
    Mistake(
        "a member may do what an app of the same id may",
        PARTNERS,
        'if by.kind == "app" and known and own',
        "if known and own",
        routes("partners", "GET /v1/endpoints"),
    ),
    # Practices' own
    Mistake(
        "practices ignores a suspension",
        OWN_ACCESS,
        "if member is None or not member.active:",
        "if member is None:",
        routes("practices", "GET /v1/clients/"),
    ),
    Mistake(
        "who enrolled a client keeps access",
        OWN_ACCESS,
        "return current or (about.enrolled_by == caller.id and untreated)",
        "return current or about.enrolled_by == caller.id",
        routes("practices", "GET /v1/clients/"),
    ),
    Mistake(
        "an owner lists what is of another practice's client",
        OWN_ACCESS,
        "return set() if client is None else found",
        "return found",
        routes("practices", "/episodes"),
    ),
    Mistake(
        "practices gives apps what no client consented to",
        OWN_ACCESS,
        "if granted and consented else set()",
        "if granted else set()",
        RELATIONS,
    ),
    Mistake(
        "a clinician lists every client",
        CLIENTS,
        "if me.in_office:",
        "if me.active:",
        routes("practices", "GET /v1/clients"),
    ),
    Mistake(
        "a clinician's id in a body is trusted",
        EPISODES,
        'clinician = members().get(me.practice_id, body["clinician_id"] or me.id)',
        'clinician = members()._load(members().collection.find_one({"_id": body["clinician_id"] or me.id}))',
        routes("practices", "POST /v1/clients/"),
    ),
    Mistake(
        "colleagues see each other's addresses",
        MEMBERS,
        'return self if other.in_office or other.id == self.id else replace(self, email="")',
        "return self",
        routes("practices", "GET /v1/members"),
    ),
    Mistake(
        "an admin invites an owner",
        MEMBERS,
        'if Role.OWNER in about["roles"] and Role.OWNER not in self.roles:',
        'if Role.OWNER in about["roles"] and not self.in_office:',
        PRACTICES,
    ),
    Mistake(
        "a suspended member stays signed in",
        SIGN_IN,
        "return member is not None and member.active",
        "return member is not None",
        CODES,
    ),
    Mistake(
        "a revoked grant still gives tokens",
        SIGN_IN,
        "if grant is None or not grant.stands:",
        "if grant is None:",
        CODES,
    ),
)
