"""Loaded by schemathesis (openapi.py): a new Idempotency-Key with every request, as a client would send."""

import uuid
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    # What is wrong on purpose is left as it is, to be refused.
    if case.meta and not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = uuid.uuid4().hex
