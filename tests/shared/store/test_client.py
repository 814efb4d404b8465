"""What a URL of MongoDB may decide, and what is told of one that cannot be read."""

import traceback
from dataclasses import replace

import pytest
from pymongo import ReadPreference

from shared.settings import Settings, SettingsRefused
from shared.store.client import connect
from shared.store.users import make_user
from tests.requests import settings_of

UNREADABLE = [
    "mongodb://goals:hun@ter2@127.0.0.1/",
    "mongodb://goals:hun/ter2@127.0.0.1/",
    "mongodb://goals:hun:ter2@127.0.0.1/",
    "mongodb://goals:hun%ter2@127.0.0.1/",
    "mongodb://goals:x@127.0.0.1/hun$ter2",
    "mongodb://goals:x@127.0.0.1/?hunter2",
    "mongodb://goals:x@127.0.0.1/?tls=true&tlsCAFile=/hunter2",
]


def settings(url: str, admin: str = "") -> Settings:
    return replace(settings_of("goals"), mongo_url=url, admin_mongo_url=admin)


def test_a_url_does_not_weaken_what_is_read_or_written() -> None:
    database = connect(settings("mongodb://127.0.0.1:1/?readPreference=secondary&w=0"))

    assert database.read_preference == ReadPreference.PRIMARY
    assert database.write_concern.document == {"w": "majority"}


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_url_that_cannot_be_read_is_told_without_a_word_of_it(url: str) -> None:
    with pytest.raises(SettingsRefused, match=r"^TANDEM_MONGO_URL cannot be used \(\w+\): ") as refused:
        connect(settings(url))

    assert "ter2" not in "".join(traceback.format_exception_only(refused.value))


@pytest.mark.parametrize("url", UNREADABLE)
def test_prepare_tells_which_of_the_two_urls_cannot_be_read(url: str) -> None:
    with pytest.raises(SettingsRefused, match=r"^TANDEM_ADMIN_MONGO_URL cannot be used"):
        make_user(settings("mongodb://goals:pw@127.0.0.1:1/", admin=url))
    with pytest.raises(SettingsRefused, match=r"^TANDEM_MONGO_URL cannot be used"):
        make_user(settings(url, admin="mongodb://root:pw@127.0.0.1:1/?serverSelectionTimeoutMS=100"))
