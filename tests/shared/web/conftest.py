import pytest

from tests.shared.web.toy import Toy


@pytest.fixture
def toy() -> Toy:
    return Toy()
