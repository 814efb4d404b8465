"""Who stands in what relation to a client: each service's own copy, fed by practices' events.

The copy holds members, leave covers, clients, consents, episodes, grants and looks, nothing of what people
wrote. A suspension, a withdrawn consent or the end of a sign-in is obeyed within a second of its event's
arrival, whatever a token says.
"""

from shared.security.access.care import clinician_for, language_of
from shared.security.access.copy import COLLECTIONS, consent_id, follow
from shared.security.access.relations import Standings, standings

__all__ = [
    "COLLECTIONS",
    "Standings",
    "clinician_for",
    "consent_id",
    "follow",
    "language_of",
    "standings",
]
