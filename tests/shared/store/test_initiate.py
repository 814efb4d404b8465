"""A trial's own MongoDB becomes a set of one that its administrator can use, wherever it listens."""

import pytest

from scripts import ports
from scripts.servers import answers, choice, temporary
from scripts.servers.found import Servers
from shared.settings import SettingsRefused
from shared.store.initiate import initiate
from tests.guarded import started


@pytest.mark.slow
def test_a_node_that_comes_back_on_another_port_leads_its_set_again(servers: Servers) -> None:
    with temporary.own_place() as place:
        at = ports.choose(place, ports.SERVERS, {})
        started(place, servers.way, at)
        choice.stop(place)
        other = ports.choose(place, {"mongo": at["mongo"] + 1}, {})

        moved = started(place, servers.way, at | other)

        assert answers.mongo(moved.mongo_url)
        assert f":{other['mongo']}/" in moved.mongo_url


@pytest.mark.parametrize(
    "url", ["administrator:pass@db/", "db/?replicaSet=rs0", "administrator@db/?replicaSet=rs0"]
)
def test_a_url_that_lacks_something_is_told(url: str) -> None:
    with pytest.raises(SettingsRefused, match="lacks a user, a password or replicaSet: name all three"):
        initiate(f"mongodb://{url}", "key")
