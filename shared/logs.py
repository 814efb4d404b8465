"""Logs: one JSON object a line on standard output, ids as fields, never what a person wrote."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

from shared.correlation import causation_id, correlation_id

_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Line(logging.Formatter):
    def __init__(self, service: str, part: str) -> None:
        super().__init__()
        self._origin = {"service": service, "part": part}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **self._origin,
            "logger": record.name,
            "correlation_id": correlation_id(),
            "causation_id": causation_id(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = _places(record.exc_info[2])
        return orjson.dumps({k: v for k, v in line.items() if v is not None}, default=str).decode()


def _places(traceback: Any) -> list[str]:
    """Where it happened, without the message: an exception's message may quote what a person wrote."""
    places = []
    while traceback:
        code = traceback.tb_frame.f_code
        places.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    return places[-12:]


def set_up(service: str, part: str, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of this process to standard output, or where it does not mix with answers."""
    # No line names a thread, a process or a caller, so none is looked for (logging HOWTO, Optimization).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    vars(logging)["_srcfile"] = None
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(_Line(service, part))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("pymongo", "amqp", "kombu", "asyncio", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
