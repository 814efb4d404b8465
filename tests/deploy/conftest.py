"""The images of this copy, built once, for whatever asks for them."""

import hashlib
from collections.abc import Mapping

import pytest

from scripts import asked, images
from scripts.place import PROJECT
from scripts.servers import containers


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine with the images we need; where it is missing, the test is left out and says so."""
    if why := images.missing() or containers.missing():
        assert not asked.all_tools(), why
        pytest.skip(why)


@pytest.fixture(scope="session")
def built(engine: None) -> Mapping[str, str]:
    """All images; their tag is this copy's, so that no other copy's run replaces them."""
    tag = f"test-{hashlib.sha256(str(PROJECT).encode()).hexdigest()[:8]}"
    return {name: images.build(name, tag) for name in images.names()}
