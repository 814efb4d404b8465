"""A Celery 5 application whose one task writes one effect; run by Celery's own command, `celery worker`.

As its documentation has it: a quorum queue by `task_default_queue_type`, JSON, acks before the task runs, no
result backend, one MongoClient for each process of the pool, made after the fork. All else is as it comes.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from pymongo import MongoClient

app = Celery("effects", broker=os.environ["PEER_AMQP_URL"])
app.conf.task_default_queue_type = "quorum"
app.conf.task_default_queue = os.environ["PEER_NAME"]
_effects: Any = None


@worker_process_init.connect
def connect(**_: Any) -> None:
    global _effects  # as Celery documents for what each process owns
    client: MongoClient[dict[str, Any]] = MongoClient(os.environ["PEER_MONGO_URL"], w="majority")
    _effects = client[os.environ["PEER_NAME"]]["effects"]


@app.task
def tell(event: dict[str, Any]) -> None:
    effect = {
        "_id": event["id"],
        "practice_id": event["practiceid"],
        "kind": event["type"],
        "at": event["time"],
    }
    _effects.insert_one(effect | event["data"])
