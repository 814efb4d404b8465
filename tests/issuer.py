"""What practices does for the others, in miniature: keys and access tokens."""

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from shared.security.tokens import Keys, Verifier

ISSUER = "https://practices.test"
AUDIENCE = "tandem"


class Issuer:
    def __init__(self, kid: str = "k1") -> None:
        self.kid = kid
        self.key = ECKey.generate_key("P-256")

    def key_set(self) -> dict[str, Any]:
        return {"keys": [{**self.key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "ES256"}]}

    def verifier(self) -> Verifier:
        return Verifier(Keys(self.key_set), ISSUER, AUDIENCE)

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A good token, but for what is given; a claim given as None is left out."""
        head = {"alg": "ES256", "typ": "at+jwt", "kid": self.kid} | (header or {})
        body = self.claims() | claims
        present = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(head, present, key or self.key, algorithms=[head["alg"]])

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ada",
            "kind": "client",
            "practice": "elm",
            "iat": now,
            "exp": now + 600,
            "jti": "t1",
            "sid": "s1",
        }
