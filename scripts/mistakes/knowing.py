"""Mistakes in tokens, and in the relations that services read off what they know."""

from scripts.mistakes.trying import Mistake, routes

TOKENS = "shared/security/tokens.py"
ACCESS = "shared/security/access.py"
FORGED = "tests/shared/security/test_tokens.py"
GOALS = "tests/goals/test_api.py"

OF_GOAL = routes("goals", "GET /v1/goals/")

MISTAKES = (
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
)
