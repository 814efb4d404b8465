"""A link is made to whichever broker of a cluster answers, and with TLS to nobody else."""

import ssl
from pathlib import Path

import pytest

from shared.messaging.link import LOST, linked
from tests.shared.messaging.certificates import certificate, showing

NOBODY = "amqp://guest:guest@127.0.0.1:1//"


@pytest.mark.parametrize("dead", [1, 2])
def test_a_broker_that_is_away_is_passed_over(amqp_url: str, dead: int) -> None:
    with linked(";".join([*[NOBODY] * dead, amqp_url]), "test") as link:
        assert link.channel().is_open


def test_brokers_that_are_all_away_are_an_error() -> None:
    with pytest.raises(LOST), linked(f"{NOBODY};{NOBODY}", "test"):
        pass


AMQP = b"AMQP\x00\x00\x09\x01"


def test_a_broker_with_the_certificate_of_another_host_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = certificate(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(others))

    with showing(others) as (port, heard):  # noqa: SIM117
        with pytest.raises(ssl.SSLCertVerificationError), linked(f"amqps://a:b@127.0.0.1:{port}//", "test"):
            pass

    assert AMQP not in heard


def test_each_broker_of_a_cluster_shows_the_certificate_of_its_own_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(right))
    away = "amqps://a:b@127.0.0.2:1//"

    with showing(right) as (port, heard):  # noqa: SIM117
        # Nobody speaks AMQP there; it ends when the greeting has been heard.
        with pytest.raises(LOST), linked(f"{away};amqps://a:b@127.0.0.1:{port}//", "test"):
            pass

    assert heard == [AMQP]


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with showing(certificate(tmp_path, "127.0.0.1")) as (port, heard):  # noqa: SIM117
        with pytest.raises(ssl.SSLCertVerificationError), linked(f"amqps://a:b@127.0.0.1:{port}//", "test"):
            pass

    assert AMQP not in heard
