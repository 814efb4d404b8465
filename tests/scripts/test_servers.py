"""Servers of a run are real, bound to this machine only, and end with it."""

import os
import re
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from scripts.servers import answers, temporary
from scripts.servers.found import Servers


def test_both_servers_answer(servers: Servers) -> None:
    assert answers.mongo(servers.mongo_url)
    assert answers.amqp_broker(servers.amqp_url)


def test_the_database_takes_majority_writes(database: Database[dict[str, Any]]) -> None:
    database["things"].insert_one({"_id": 1})

    assert database["things"].count_documents({}) == 1


def test_change_streams_work(database: Database[dict[str, Any]]) -> None:
    with database.watch(max_await_time_ms=100) as stream:
        database["things"].insert_one({"_id": 1})

        assert stream.next()["operationType"] == "insert"


def test_a_wrong_password_is_no_answer(servers: Servers) -> None:
    wrong = re.sub(r"//(.*):.*@", r"//\1:wrong@", servers.amqp_url)

    assert not answers.amqp_broker(wrong)


def test_nothing_answers_at_a_free_port(mongo_url: str) -> None:
    assert not answers.mongo("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200")
    with MongoClient[dict[str, Any]](mongo_url) as client:
        assert client.admin.command("hello")["setName"] == "rs0"


def test_only_what_nobody_owns_any_more_is_cleared_up(tmp_path: Path) -> None:
    being_made, left = tmp_path / str(os.getpid()), tmp_path / "999999999"
    being_made.mkdir()
    left.mkdir()

    temporary.clear_up(tmp_path)

    assert being_made.exists()
    assert not left.exists()
