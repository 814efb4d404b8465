"""The outbox relay that books show: python -m benchmarks.peers.one_by_one <threads> <name> <mongo> <amqp>.

Claims a pending event, publishes it persistent and waits for the broker's confirm, marks it sent, and takes
the next. Each thread has a connection of its own to the broker.
"""

import sys
import threading
import time
from typing import Any

from kombu import Connection, Exchange, Producer
from pymongo import MongoClient, ReturnDocument


def relay(outbox: Any, amqp_url: str, exchange: str) -> None:
    with Connection(amqp_url, transport_options={"confirm_publish": True}) as connection:
        producer = Producer(
            connection.channel(), Exchange(exchange, "topic", durable=True), auto_declare=False
        )
        while True:
            if not relay_one(outbox, producer):
                time.sleep(0.01)


def relay_one(outbox: Any, producer: Producer) -> bool:
    claim = {"$set": {"state": "claimed"}}
    event = outbox.find_one_and_update(
        {"state": "pending"}, claim, sort=[("_id", 1)], return_document=ReturnDocument.AFTER
    )
    if event is None:
        return False
    producer.publish(
        event["body"],
        routing_key=event["type"],
        content_type="application/cloudevents+json",
        content_encoding="utf-8",
        delivery_mode=2,
    )
    outbox.update_one({"_id": event["_id"]}, {"$set": {"state": "sent"}})
    return True


def main(threads: str, name: str, mongo_url: str, amqp_url: str) -> None:
    client: Any = MongoClient(mongo_url, w="majority")
    outbox = client[name]["outbox"]
    for _ in range(int(threads)):
        threading.Thread(target=relay, args=(outbox, amqp_url, f"{name}.exchange")).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
