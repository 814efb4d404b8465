"""Whether every service has the same rooms, and every library lives in its own.

An extra room is one that the service's __init__ docstring introduces by name, as `name`. A library that is
not in HOMES has no home yet: give it one here when it is added.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from scripts import trouble
from scripts.place import PROJECT

ROOMS = frozenset({"__init__", "__main__", "app", "api", "handlers", "schemas", "store", "domain", "events"})
EVERYWHERE = ("services.*", "shared.*")
HOMES: Mapping[str, tuple[str, ...]] = {
    "aiodns": ("services.partners.sender",),
    "aiohttp": ("services.partners.sender",),
    "amqp": ("shared.messaging",),
    "apispec": ("shared.web",),
    "bson": ("services.*.store", "shared.store"),
    "cachetools": ("shared.security.access", "shared.store.lock"),
    "cattrs": ("shared.store",),
    "click": (
        "services.*.commands",
        "shared.service",
        "shared.parked_commands",
        "shared.keys_commands",
        "shared.republish_command",
    ),
    "cryptography": EVERYWHERE,
    "dateutil": EVERYWHERE,
    "flask": ("services.*.api", "shared.web"),
    "flask_smorest": ("shared.web",),
    "gunicorn": ("shared.web",),
    "itsdangerous": ("shared.web",),
    "joserfc": ("services.practices.contacts", "services.practices.tokens", "shared.security"),
    "kombu": ("shared.messaging",),
    "marshmallow": ("services.*.schemas", "shared.web", "shared.messaging", "shared.security.schemas"),
    "orjson": EVERYWHERE,
    "prometheus_client": (
        "services.partners.sender",
        "services.practices.mailer",
        "shared.web",
        "shared.messaging",
        "shared.store.lock",
    ),
    "pymongo": ("services.*.store", "services.partners.sender", "shared.store"),
    "pymongocrypt": ("shared.store.lock",),
    "uuid_utils": ("shared.ids",),
    "webargs": ("shared.web",),
    "werkzeug": ("shared.web",),
}
SETTINGS = "shared.settings"


def problems(project: Path = PROJECT) -> Iterator[str]:
    """One sentence for each thing out of place."""
    for service in sorted(
        folder for folder in (project / "services").iterdir() if (folder / "app.py").exists()
    ):
        yield from _missing_and_extra(service)
    for file in sorted([*(project / "services").rglob("*.py"), *(project / "shared").rglob("*.py")]):
        yield from _out_of_place(file, module(file, project))


def module(file: Path, project: Path) -> str:
    parts = file.relative_to(project).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _missing_and_extra(service: Path) -> Iterator[str]:
    present = {
        entry.stem for entry in service.iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()
    }
    introduced = set(
        re.findall(r"`(\w+)`", ast.get_docstring(ast.parse((service / "__init__.py").read_text())) or "")
    )
    for room in sorted(ROOMS - present):
        yield f"services/{service.name} has no room {room}: add it, even if it is nearly empty."
    for room in sorted(present - ROOMS - introduced):
        yield f"services/{service.name} has a room that its __init__ does not introduce: name `{room}` there."


def _out_of_place(file: Path, name: str) -> Iterator[str]:
    tree = ast.parse(file.read_text())
    for library in sorted(_third_party(tree)):
        homes = HOMES.get(library, ())
        if name.startswith("services.") and name.split(".")[2:3] == ["domain"] and library != "dateutil":
            yield f"{file} imports {library}: a domain is plain Python."
        elif not any(_within(name, home) for home in homes):
            yield f"{file} imports {library}, which lives in {', '.join(homes) or 'no room yet'}: move it."
    if name.startswith("services.") and name.split(".")[2:3] == ["domain"]:
        for other in sorted(_rooms_imported(tree) - {"domain", "events"}):
            yield f"{file} imports the room {other}: a domain knows its events and nothing else."
    if name != SETTINGS and any(_reads_environment(node) for node in ast.walk(tree)):
        yield f"{file} reads the environment, which only {SETTINGS} does: make it a setting."


def _within(name: str, home: str) -> bool:
    return fnmatch(name, home) or fnmatch(name, f"{home}.*")


def _third_party(tree: ast.AST) -> set[str]:
    return (
        {name.partition(".")[0] for name in _imported(tree) if name[0] != "."}
        - sys.stdlib_module_names
        - {"services", "shared"}
    )


def _rooms_imported(tree: ast.AST) -> set[str]:
    return {
        name.split(".")[2] for name in _imported(tree) if name.startswith("services.") and name.count(".") > 1
    }


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            # from services.goals import domain: the room is named by the alias.
            yield from (f"{node.module}.{alias.name}" for alias in node.names if not node.level)


def _reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in {"environ", "getenv"} for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


def main() -> int:
    found = list(problems())
    sys.stdout.writelines(f"{problem}\n" for problem in found)
    return 1 if found else 0


if __name__ == "__main__":
    trouble.run(main)
