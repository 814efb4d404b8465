"""Where practices keeps its aggregates, and what sign-in needs beside them.

Every call takes the practice, except what sign-in asks before it is known: by address, by app, by
refresh token.
"""

from services.practices.store import (
    apps,
    codes,
    covers,
    episodes,
    looks,
    people,
    second_factors,
    sessions,
    sign_in,
)

COLLECTIONS = (
    *people.COLLECTIONS,
    *covers.COLLECTIONS,
    *looks.COLLECTIONS,
    *episodes.COLLECTIONS,
    *sessions.COLLECTIONS,
    *apps.COLLECTIONS,
    *codes.COLLECTIONS,
    *second_factors.COLLECTIONS,
    *sign_in.COLLECTIONS,
)
