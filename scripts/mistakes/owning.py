"""Mistakes in what is of one person, one app, or one client."""

from scripts.mistakes.trying import Mistake, routes

ACCESS = "shared/security/access.py"
INBOX = "services/notifications/store.py"
PARTNERS = "services/partners/api.py"
ENDPOINTS = "services/partners/store.py"
OWN_ACCESS = "services/practices/access.py"
CLIENTS = "services/practices/api/clients.py"
EPISODES = "services/practices/api/episodes.py"
MEMBERS = "services/practices/domain/members.py"
SIGN_IN = "services/practices/sign_in.py"
RELATIONS = "tests/practices/test_access.py"
PRACTICES = "tests/practices/test_api.py"
CODES = "tests/practices/test_sign_in.py"

MISTAKES = (
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
