"""Mistakes in how a secret is compared: in a time that tells how much of a guess is right."""

from scripts.mistakes.trying import Mistake

COMPARING = "tests/practices/test_comparing.py"

MISTAKES = (
    Mistake(
        "a mailed code is compared as any text",
        "services/practices/sign_in/codes.py",
        "hmac.compare_digest(code.digest, self._digest(bound, code.id, given))",
        "code.digest == self._digest(bound, code.id, given)",
        COMPARING,
    ),
    Mistake(
        "an authenticator's code is compared as any text",
        "services/practices/sign_in/totp.py",
        "hmac.compare_digest(password(secret, step).encode(), given.encode())",
        "password(secret, step) == given",
        COMPARING,
    ),
    Mistake(
        "a recovery code is compared as any text",
        "services/practices/domain/second_factors.py",
        "if not hmac.compare_digest(one, digest)",
        "if one != digest",
        COMPARING,
    ),
    Mistake(
        "a refresh token is compared as any text",
        "services/practices/sign_in/refresh_tokens.py",
        "hmac.compare_digest(mark, _mark(settings, id, number))",
        "mark == _mark(settings, id, number)",
        COMPARING,
    ),
    Mistake(
        "an app's secret is compared as any text",
        "services/practices/domain/apps.py",
        "hmac.compare_digest(self.secret_hash, given) | hmac.compare_digest(earlier, given)",
        "given in (self.secret_hash, earlier)",
        COMPARING,
    ),
)
