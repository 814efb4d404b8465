"""schemathesis finds nothing in the API of practices."""

from typing import Any

import pytest

from services.practices.app import service
from services.practices.domain.members import Role
from services.practices.domain.wishes import Wish
from services.practices.store.episodes import Wishes
from services.practices.tokens import key_set
from shared.clock import now
from shared.ids import new_id
from shared.security.tokens import Keys, Verifier
from shared.web.application import create_app
from tests import openapi


@pytest.fixture
def app(world) -> Any:
    keys = Keys(lambda: key_set(world.database))
    verifier = Verifier(keys, world.settings.issuer, world.settings.audience)
    return create_app(service, world.settings, world.database, verifier)


@pytest.mark.parametrize("kind", ["owner", "client"])
def test_schemathesis_finds_nothing(world, app, tmp_path, kind):
    clara, maya, registered = world.member(Role.CLINICIAN), world.client(), world.app()
    episode = world.episode(maya, clara)
    series = world.series(episode)
    wish = Wishes(world.database).add(Wish.say(id=new_id(), episode=episode, text=None, told=[], at=now()))[0]
    parameters = {
        "member_id": clara.id,
        "client_id": maya.id,
        "episode_id": episode.id,
        "wish_id": wish.id,
        "app_id": registered.id,
        "cover_id": world.cover(clara, world.member(Role.CLINICIAN)).id,
        "series_id": series.id,
        "session_id": series.sessions[0].id,
        "look_id": world.look(maya, clara).id,
        "grant_id": world.grant(registered).id,
    }
    who = maya if kind == "client" else world.member(Role.OWNER)

    with openapi.served(app) as url:
        found = openapi.findings(url, world.bearer(who), tmp_path, parameters, cases=4)

    if found:
        pytest.fail(found, pytrace=False)
