"""Ports for servers that tests start."""

import uuid
from pathlib import Path

from scripts import ports
from scripts.place import Place


def free_port() -> int:
    """One that nothing else on this machine gets meanwhile: neither another worker nor a connection."""
    asking = Place(Path(f"test-{uuid.uuid4()}"))
    return ports.choose(asking, {"test": 21_000}, {})["test"]
