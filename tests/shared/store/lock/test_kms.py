"""A master key may be at a key management service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.settings import SettingsRefused
from shared.store.indexes import prepare
from shared.store.lock.database import OwnDatabase
from shared.store.lock.master import PROVIDERS, Master
from tests.requests import MASTER_KEY
from tests.shared.messaging.certificates import certificate
from tests.shared.store.lock.kms import masters, serving
from tests.shared.store.lock.letters import COLLECTIONS, Letters, letter


@pytest.fixture
def kms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    file = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(file) as at:
        yield at


@pytest.fixture
def prepared(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    return database


def opened(database: Any, text: str, credentials: Any, former: str = "") -> OwnDatabase:
    return OwnDatabase(database.client, database.name, Master(text, former, json.dumps(credentials)))


@pytest.mark.parametrize("kind", PROVIDERS)
def test_keys_lie_under_a_key_of_the_service(kms: str, kind: str, prepared: Any) -> None:
    text, credentials = masters(kms)[kind]
    database = opened(prepared, text, {kind: credentials})
    database.vault.prepare()

    made, _ = Letters(database).add(letter("Dear Ada"))

    afresh = opened(prepared, text, {kind: credentials})
    afresh.vault.require()
    assert Letters(afresh).get("elm", made.id).text == "Dear Ada"
    providers = {key["masterKey"]["provider"].partition(":")[0] for key in prepared["key_vault"].find()}
    assert providers == {kind}


@pytest.mark.parametrize("kind", PROVIDERS)
def test_keys_move_from_a_key_of_the_settings_to_one_of_the_service(
    kms: str, kind: str, prepared: Any
) -> None:
    prepared.vault.prepare()
    made, _ = Letters(prepared).add(letter("Dear Ada"))
    text, credentials = masters(kms)[kind]

    assert list(opened(prepared, text, {kind: credentials}, former=MASTER_KEY).vault.rewrap()) == [2]

    database = opened(prepared, text, {kind: credentials})
    database.vault.require()
    assert Letters(database).get("elm", made.id).text == "Dear Ada"


def test_credentials_that_the_service_refuses_are_told_in_a_sentence(kms: str, prepared: Any) -> None:
    text, credentials = masters(kms)["aws"]
    opened(prepared, text, {"aws": credentials}).vault.prepare()

    with pytest.raises(SettingsRefused, match=r"^TANDEM_MASTER_KEY") as refused:
        opened(prepared, text, {"aws": credentials | {"accessKeyId": "bad"}}).vault.require()

    assert "\n" not in str(refused.value)


def test_a_service_that_is_away_is_told_in_a_sentence(kms: str, prepared: Any) -> None:
    text, credentials = masters("127.0.0.1:1")["aws"]

    with pytest.raises(SettingsRefused, match=r"^The key management service .* does not answer") as refused:
        opened(prepared, text, {"aws": credentials}).vault.prepare()

    assert "\n" not in str(refused.value)
