from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.openapi import findings, served
from tests.shared.web.toy import Toy


def test_document_is_valid_openapi_3_1(toy: Toy) -> None:
    document = toy.client().get("/v1/openapi.json").json

    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_document_names_headers_and_problems_of_each_route(toy: Toy) -> None:
    paths = toy.client().get("/v1/openapi.json").json["paths"]

    write = paths["/v1/clients/{client_id}/notes"]["post"]
    agree = paths["/v1/notes/{note_id}/agreement"]["post"]
    assert {"$ref": "#/components/parameters/IdempotencyKey"} in write["parameters"]
    assert {"$ref": "#/components/parameters/IfMatch"} in agree["parameters"]
    assert {"200", "201", "400", "401", "404", "409", "413", "415", "422", "503"} <= write["responses"].keys()
    assert {"200", "401", "404", "409", "412", "428"} <= agree["responses"].keys()
    assert agree["security"] == [{"bearer": []}]


@pytest.mark.parametrize("asset", ["", "/start.js", "/swagger-ui.css", "/swagger-ui-bundle.js"])
def test_page_and_its_parts_come_from_here(toy: Toy, asset: str) -> None:
    answer = toy.app.test_client().get(f"/v1/docs{asset}")

    assert answer.status_code == 200
    assert b"https://" not in answer.data[:500]


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters", [{}, {"client_id": "ada", "note_id": "n1"}], ids=["any ids", "real ids"]
)
def test_schemathesis_finds_nothing(tmp_path: Path, toy: Toy, parameters: dict[str, str]) -> None:
    toy.note()

    with served(toy.app) as url:
        found = findings(url, _signed_in(toy), tmp_path, parameters)

    assert found == ""


@pytest.mark.slow
def test_schemathesis_would_find_a_fault(tmp_path: Path, toy: Toy) -> None:
    toy.note()
    toy.database.broken = RuntimeError("a fault")

    with served(toy.app) as url:
        found = findings(url, _signed_in(toy), tmp_path, {"note_id": "n1"}, cases=2)

    assert "Server error" in found


def _signed_in(toy: Toy) -> dict[str, str]:
    return {"Authorization": toy.client().environ_base["HTTP_AUTHORIZATION"]}
