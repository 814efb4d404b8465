"""Identifiers: UUIDv7 for what is new, UUIDv5 for what follows from something known."""

import uuid_utils

PLATFORM = "platform"
"""The practice of what belongs to no practice: apps, endpoints, signing keys."""

_TANDEM = uuid_utils.UUID("5b9a1f3e-7c1d-4f0a-9a57-2f6f2c1e8d10")


def new_id() -> str:
    """A UUIDv7 (RFC 9562, 5.7): ids made later sort later, within one process."""
    return str(uuid_utils.uuid7())


def derived_from(*parts: str) -> str:
    """The UUIDv5 (RFC 9562, 5.5) of the parts, in order: the same parts give the same id, for ever."""
    return str(uuid_utils.uuid5(_TANDEM, "\x1f".join(parts)))
