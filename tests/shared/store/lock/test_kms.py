"""A master key may be at a key management service."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.settings import SettingsRefused
from shared.store.client import StoreUnavailable
from shared.store.indexes import prepare
from shared.store.lock.database import OwnDatabase
from shared.store.lock.fields import REFUSED
from shared.store.lock.master import PROVIDERS, Master
from shared.store.lock.vault import KeyServiceAway, KeyServiceRefuses
from tests.requests import MASTER_KEY
from tests.shared.messaging.certificates import certificate
from tests.shared.store.lock.kms import Standing, masters, serving
from tests.shared.store.lock.letters import COLLECTIONS, Letters, letter


@pytest.fixture
def standing() -> Standing:
    return Standing()


@pytest.fixture
def kms(standing: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    file = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with serving(file, standing) as at:
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


@pytest.mark.parametrize("kind", PROVIDERS)
def test_credentials_that_the_service_refuses_are_told_in_a_sentence(
    kms: str, standing: Standing, kind: str, prepared: Any
) -> None:
    text, credentials = masters(kms)[kind]
    opened(prepared, text, {kind: credentials}).vault.prepare()

    standing.status = 403

    with pytest.raises(KeyServiceRefuses, match=r"^The key management service .* answers 403") as refused:
        opened(prepared, text, {kind: credentials}).vault.require()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("at", ["127.0.0.1:1", None])
def test_a_service_that_is_away_is_told_in_a_sentence(
    kms: str, standing: Standing, at: str | None, prepared: Any
) -> None:
    text, credentials = masters(at or kms)["aws"]
    standing.status = 500

    with pytest.raises(KeyServiceAway, match=r"^The key management service .* does not answer") as refused:
        opened(prepared, text, {"aws": credentials}).vault.prepare()

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("aws", {"accessKeyId": None, "secretAccessKey": None}),
        ("aws", {"accessKeyId": 7}),
        ("aws", {"surplus": "secret"}),
        ("gcp", {"privateKey": "no base64"}),
        ("gcp", {"privateKey": "bm8ga2V5"}),
        ("azure", {"clientSecret": None}),
    ],
)
def test_credentials_that_cannot_be_read_are_told_in_a_sentence(
    kms: str, kind: str, change: dict[str, Any], prepared: Any
) -> None:
    text, credentials = masters(kms)[kind]
    given = {name: value for name, value in (credentials | change).items() if value is not None}

    for start in ("prepare", "require"):
        with pytest.raises(SettingsRefused, match=r"TANDEM_KMS_CREDENTIALS") as refused:
            getattr(opened(prepared, text, {kind: given}).vault, start)()

        assert "\n" not in str(refused.value)
        assert not any(str(secret) in str(refused.value) for secret in change.values() if secret)
        assert refused.value.__cause__ is None


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_service_that_refuses_later_is_no_sign_of_tampering(
    kms: str, standing: Standing, kind: str, prepared: Any, caplog: pytest.LogCaptureFixture
) -> None:
    text, credentials = masters(kms)[kind]
    made, _ = Letters(opened(prepared, text, {kind: credentials})).add(letter("Dear Ada"))
    afresh = Letters(opened(prepared, text, {kind: credentials}))
    counted = REFUSED._value.get()
    caplog.set_level(logging.ERROR)

    standing.status = 403

    with pytest.raises(KeyServiceRefuses) as refused:
        afresh.get("elm", made.id)
    # Which HTTP answers with 503, and a consumer or a timer tries again.
    assert isinstance(refused.value, StoreUnavailable)
    with pytest.raises(KeyServiceRefuses):
        afresh.add(letter("Dear Bob", client_id="bob"))
    assert REFUSED._value.get() == counted
    assert {(one.message, vars(one)["status"]) for one in caplog.records} == {("Key service refused", 403)}
    standing.status = 200
    assert afresh.get("elm", made.id).text == "Dear Ada"
