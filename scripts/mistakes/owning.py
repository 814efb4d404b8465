"""Mistakes in what is of one person, or one app."""

from scripts.mistakes.trying import Mistake, routes

KNOWN = "shared/security/access/relations.py"
INBOX = "services/notifications/store.py"
PARTNERS = "services/partners/api.py"
ENDPOINTS = "services/partners/store.py"

MISTAKES = (
    Mistake(
        "another person's notification is marked as read",
        KNOWN,
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
)
