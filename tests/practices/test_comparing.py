"""Every secret that somebody brings is compared in a time that tells nothing of how much of it is right."""

import hmac

import pytest

from services.practices.domain.apps import hash_of
from services.practices.domain.members import Role
from services.practices.sign_in import NothingToExchange, SignIn, totp
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.errors import AppUnknown
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.codes import Codes
from shared.clock import now
from tests.practices.conftest import TOTP

WRONG = "00000000"


@pytest.fixture
def compared(monkeypatch):
    """All that was compared in constant time."""
    seen, compare = set(), hmac.compare_digest

    def spied(one, other):
        seen.update((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", spied)
    return seen


def test_a_mailed_code(world, maya, compared):
    _, ticket = world.asked(maya.email)
    ([code],) = Codes(world.database).to_send(now()).values()

    MailedCodes(world.database, world.settings).matching(maya.email, WRONG, ticket, now())

    assert code.digest in compared


def test_a_code_of_the_authenticator(compared):
    totp.matching_step(TOTP, "123456", now())

    assert {b"123456", totp.password(TOTP, totp.step_of(now())).encode()} <= compared


def test_a_recovery_code(world, compared):
    ada = world.with_factor(world.member(Role.CLINICIAN))
    ada.second_factor.recovery_codes = ["one", "other"]

    assert not SecondFactors(world.database, world.settings).is_passed(ada, "ABCDE-FGHJK", now())

    assert {"one", "other"} <= compared
    assert ada.second_factor.recovery_codes == ["one", "other"]


def test_a_refresh_token(world, maya, compared):
    id, number, _ = world.signed_in(maya).refresh_token.split(".")

    with pytest.raises(NothingToExchange):
        SignIn(world.database, world.settings).by_refresh_token(f"{id}.{number}.{'0' * 64}", now())

    assert "0" * 64 in compared


def test_the_secret_of_an_app(world, compared):
    app = world.app()

    with pytest.raises(AppUnknown):
        SignIn(world.database, world.settings).by_client_credentials(app.id, WRONG, None, now())

    assert {app.secret_hash, hash_of(WRONG)} <= compared
