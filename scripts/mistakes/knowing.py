"""Mistakes in tokens, and in the relations that services read off what they know."""

from scripts.mistakes.trying import Mistake, routes

TOKENS = "shared/security/tokens.py"
RELATIONS = "shared/security/access/relations.py"
COPY = "shared/security/access/copy.py"
CARE = "shared/security/access/episodes.py"
FORGED = "tests/shared/security/test_tokens.py"
GOALS = "tests/goals/test_api.py"
HEARD = "tests/shared/security/test_access.py"

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
        RELATIONS,
        'if member is None or not member["active"]:',
        "if member is None:",
        OF_GOAL,
    ),
    Mistake(
        "a suspension is not heard",
        COPY,
        'yield project("members", event.data["member_id"], {"active": False})',
        'yield project("members", event.data["member_id"], {"left": True})',
        GOALS,
    ),
    Mistake(
        "episodes that are over count",
        CARE,
        'sorted((episode for episode in found if episode.get("active")), key',
        "sorted(found, key",
        OF_GOAL,
    ),
    Mistake(
        "consent is not asked",
        RELATIONS,
        "if granted and consent and _covers(consent, action) else set()",
        "if granted else set()",
        OF_GOAL,
    ),
    Mistake(
        "a consent that was withdrawn counts",
        RELATIONS,
        'bool(consent["active"]) and (covers is None',
        "(covers is None",
        OF_GOAL,
    ),
    Mistake(
        "the scopes of a grant are not asked",
        RELATIONS,
        'any(grant["active"] and action in grant["scopes"] for grant in grants)',
        'any(grant["active"] for grant in grants)',
        OF_GOAL,
    ),
    Mistake(
        "a grant that was revoked counts",
        RELATIONS,
        'any(grant["active"] and action in grant["scopes"] for grant in grants)',
        'any(action in grant["scopes"] for grant in grants)',
        OF_GOAL,
    ),
    Mistake(
        "every clinician cares for every client",
        RELATIONS,
        'mine = [episode for episode in episodes if episode["clinician_id"] == caller.id]',
        "mine = episodes",
        OF_GOAL,
    ),
    Mistake(
        "who was a clinician once still is",
        RELATIONS,
        'if "clinician" in roles:',
        "if roles:",
        OF_GOAL,
    ),
    Mistake(
        "every client is each of them",
        RELATIONS,
        'own = {("client", "self")} if client_id == caller.id else set()',
        'own = {("client", "self")}',
        OF_GOAL,
    ),
    Mistake(
        "an entitlement is remembered for an hour",
        RELATIONS,
        "KEPT = 1.0",
        "KEPT = 3_600.0",
        GOALS,
    ),
    Mistake(
        "an entitlement to one client is remembered for all",
        RELATIONS,
        "key = (database.name, caller, action, client_id, own)",
        "key = (database.name, caller, action, own)",
        GOALS,
    ),
    Mistake(
        "what a consent covers is not asked",
        RELATIONS,
        'return bool(consent["active"]) and (covers is None or action.partition(".")[0] in covers)',
        'return bool(consent["active"])',
        OF_GOAL,
    ),
    Mistake(
        "who signed out is still in",
        RELATIONS,
        "    _refuse_ended(member, caller)\n",
        "",
        OF_GOAL,
    ),
    Mistake(
        "a client who signed out is still in",
        RELATIONS,
        "    _refuse_ended(client, caller)\n",
        "",
        OF_GOAL,
    ),
    # Leave cover, supervision, and the glass
    Mistake(
        "a cover that is over counts",
        RELATIONS,
        'one["since"] <= at < one["until"]',
        'one["since"] <= at',
        OF_GOAL,
    ),
    Mistake(
        "a cover counts before it begins",
        RELATIONS,
        'one["since"] <= at < one["until"]',
        'at < one["until"]',
        OF_GOAL,
    ),
    Mistake(
        "a cover that was cancelled counts",
        RELATIONS,
        'if one.get("active") and one["since"]',
        'if one["since"]',
        OF_GOAL,
    ),
    Mistake(
        "a cancelled cover is not heard",
        COPY,
        'yield project("covers", event.data["cover_id"], {"active": False})',
        'yield project("covers", event.data["cover_id"], {"over": True})',
        HEARD,
    ),
    Mistake(
        "who stands in for one stands in for all",
        RELATIONS,
        "if clinicians & absent else set()",
        "if absent else set()",
        OF_GOAL,
    ),
    Mistake(
        "a supervisor supervises everybody",
        RELATIONS,
        'and clinicians.intersection(member.get("supervises") or ()):',
        "and clinicians:",
        OF_GOAL,
    ),
    Mistake(
        "whom a supervisor supervised once is enough",
        RELATIONS,
        'if "supervisor" in roles and clinicians',
        "if clinicians",
        OF_GOAL,
    ),
    Mistake(
        "the glass is broken for every client",
        RELATIONS,
        "member_id=caller.id, client_id=client_id)",
        "member_id=caller.id)",
        OF_GOAL,
    ),
    Mistake(
        "a broken glass stays broken",
        RELATIONS,
        'any(look["ends_at"] > at for look in found)',
        "any(True for look in found)",
        OF_GOAL,
    ),
    Mistake(
        "an owner breaks the glass",
        RELATIONS,
        'if glass and roles & {"clinician", "supervisor"}:',
        "if glass:",
        OF_GOAL,
    ),
)
