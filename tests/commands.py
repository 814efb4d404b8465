"""What a test asks of the database."""

from typing import Any

from pymongo.monitoring import CommandListener


class Commands(CommandListener):
    """What was asked of the database: (command, collection)."""

    def __init__(self) -> None:
        self.names: list[tuple[str, Any]] = []

    def started(self, event: Any) -> None:
        self.names.append((event.command_name, event.command.get(event.command_name)))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...
