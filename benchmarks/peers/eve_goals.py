"""Eve as its quickstart writes it: gunicorn benchmarks.peers.eve_goals:app; EVE_ variables name its database.

Its own defaults: no authentication, write concern 1, its validation of the same three fields.
"""

import os

from eve import Eve

TEXT = {"type": "string", "minlength": 1, "maxlength": 2_000}
SETTINGS = {
    "MONGO_URI": os.environ["EVE_MONGO_URL"],
    "MONGO_DBNAME": os.environ["EVE_DATABASE"],
    "RESOURCE_METHODS": ["GET", "POST"],
    "DOMAIN": {
        "goals": {
            "schema": {
                "what": {**TEXT, "required": True},
                "why": {**TEXT, "nullable": True},
                "target_on": {"type": "string", "regex": r"\d{4}-\d{2}-\d{2}", "nullable": True},
            }
        }
    },
}

app = Eve(settings=SETTINGS)
