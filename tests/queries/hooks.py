"""One more result at the end of a run: every query of every service uses an index.

Each process that runs tests watches and judges its own; the one that began the run puts it together.
"""

from collections.abc import Generator
from typing import Any

import pytest
from pymongo import monitoring

from tests.queries import verdict
from tests.queries.watch import Watch

NODE = "tests/queries/verdict.py", "every_query_of_every_service_uses_an_index"
WATCH = Watch()
_reports: list[dict[str, Any]] = []


def pytest_configure() -> None:
    monitoring.register(WATCH)


def pytest_runtest_logstart(nodeid: str) -> None:
    WATCH.begins(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended; one that was killed told nothing, and its tests failed."""
    _reports.append(getattr(node, "workeroutput", {}).get("queries", {"judged": [], "ways": []}))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    done = yield
    _reports.append(WATCH.report())
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["queries"] = WATCH.report()
    elif not session.config.option.collectonly:
        _tell(session)
    return done


def _tell(session: pytest.Session) -> None:
    # Where a test failed, what it was to ask may be missing.
    whole = _is_whole(session.config) and not session.testsfailed
    if not whole and not any(report["judged"] for report in _reports):
        return
    wrong = "\n\n".join(verdict.wrong(_reports, whole))
    outcome: Any = "failed" if wrong else "passed"
    told = pytest.TestReport("::".join(NODE), (NODE[0], 0, NODE[1]), {}, outcome, wrong or None, "call")
    session.testscollected += 1
    session.config.hook.pytest_runtest_logreport(report=told)


def _is_whole(config: pytest.Config) -> bool:
    option = config.option
    chosen = option.keyword or option.markexpr or option.deselect or option.lf or option.ignore
    return config.args_source is config.ArgsSource.TESTPATHS and not chosen
