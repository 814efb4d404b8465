"""--routes: only those whose method and path hold this text, while looking for one mistake."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--routes", default="", help="Try only routes whose method and path hold this.")
