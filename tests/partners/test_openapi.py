"""What is documented is what happens: schemathesis, with an endpoint of the caller's own to try."""

from pathlib import Path
from typing import Any

from shared.web.application import create_app
from tests.openapi import findings, served
from tests.partners.conftest import Partners
from tests.partners.test_api import Described, Known


def test_schemathesis_finds_nothing(tmp_path: Path, partners: Partners) -> None:
    endpoint_id = partners.permit()
    partners.hear(partners.agreed())
    partners.fan_out()
    app: Any = create_app(Described(), partners.settings, partners.database, Known())  # type: ignore[arg-type]

    with served(app) as url:
        found = findings(
            url, {"Authorization": "Bearer app-1"}, tmp_path, {"endpoint_id": endpoint_id}, cases=10
        )

    assert found == ""
