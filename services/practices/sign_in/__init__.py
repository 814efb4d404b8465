"""Signing in: one-time codes by mail, second factors, and what is exchanged for tokens (RFC 6749).

Rules kept here:

- asking costs and says the same for known and unknown addresses;
- a code is a keyed hash, of one address, for ten minutes, five tries and one use, and good only with the
  ticket that the asking was answered with: whoever else asks has another;
- a device that has signed in before has a quota of codes of its own, which no stranger can use up;
- members bring a second factor after the code;
- of a sign-in one refresh token is good at a time, and an old one seen again ends it.

`codes`, `second_factors` and `refresh_tokens` are what is exchanged, `tokens` the exchange; `ending` ends
what was begun, `addresses` changes what codes are mailed to.
"""

from services.practices.sign_in.errors import (
    AppUnknown,
    GrantTypeUnknown,
    NothingToExchange,
    PracticeNotGranted,
    SecondFactorRequired,
    StandingRequired,
    TokenDenied,
)
from services.practices.sign_in.tokens import SIGNED_IN_FOR, SignIn, Tokens, grant_id

__all__ = [
    "SIGNED_IN_FOR",
    "AppUnknown",
    "GrantTypeUnknown",
    "NothingToExchange",
    "PracticeNotGranted",
    "SecondFactorRequired",
    "SignIn",
    "StandingRequired",
    "TokenDenied",
    "Tokens",
    "grant_id",
]
