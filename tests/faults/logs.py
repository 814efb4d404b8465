"""What a process of a place said: its log, read from outside."""

import json
from typing import Any

from scripts.place import Place


def said(place: Place, name: str, message: str) -> list[dict[str, Any]]:
    """Its lines with this message, a line that a kill cut off left out."""
    lines = (place.logs / f"{name}.log").read_bytes().splitlines()
    found = [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"}")]
    return [line for line in found if line["message"] == message]
