"""Bounds of what a body may be, kept before any schema looks at it.

At most 64 KiB of UTF-8 JSON, one object, 20 levels, whole numbers a double can hold, finite
fractions, no name twice, no NUL and no lone surrogate, which MongoDB or the next reader would trip over.
"""

import json
import math
from typing import Any

from shared.web.refusals import BodyMalformed

MOST_BYTES = 64 * 1024
DEEPEST = 20
LARGEST = 2**53


def parse(raw: bytes) -> dict[str, Any]:
    """The object in this body; raises `BodyMalformed`."""
    try:
        found = _DECODER.decode(raw.decode())
    except RecursionError as error:
        raise BodyMalformed(_TOO_DEEP) from error
    except ValueError as error:
        raise BodyMalformed("Send JSON (RFC 8259) in UTF-8.") from error
    if not isinstance(found, dict):
        raise BodyMalformed("Send one JSON object.")
    _walk(found, 1)
    return found


_TOO_DEEP = f"Send JSON of at most {DEEPEST} levels."


def _walk(value: Any, depth: int) -> None:
    if isinstance(value, str):
        _text(value)
        return
    if not isinstance(value, dict | list):
        return
    if depth > DEEPEST:
        raise BodyMalformed(_TOO_DEEP)
    if isinstance(value, dict):
        for name in value:
            _text(name)
        value = list(value.values())
    for item in value:
        _walk(item, depth + 1)


def _text(value: str) -> None:
    if "\0" in value or not _encodable(value):
        raise BodyMalformed("Send text without NUL characters and lone surrogates.")


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BodyMalformed("Send every name only once in an object.")
    return found


def _whole(digits: str) -> int:
    # Python refuses to convert thousands of digits; more than 17 are too large anyway.
    if len(digits) > 17 or abs(int(digits)) > LARGEST:
        raise BodyMalformed("Send whole numbers between -2^53 and 2^53.")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BodyMalformed("Send numbers that a double can hold.")
    return number


def _never(name: str) -> None:
    raise BodyMalformed("Send JSON numbers: NaN and Infinity are none.")


# Made once: json.loads makes a decoder for every text that it reads with hooks.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=_whole, parse_float=_finite, parse_constant=_never
)
