"""A FastStream subscriber that writes one effect a message: python -m benchmarks.peers.faststream_effects.

As its documentation has it: RabbitBroker, a quorum queue, an async handler with pymongo's own async client,
acked when it returns. By default FastStream asks for no prefetch limit, so it takes what there is, all at
once; PEER_CONCURRENCY is the limit it can be given, which is also how many messages it handles at a time.
"""

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from pymongo import AsyncMongoClient

broker = RabbitBroker(os.environ["PEER_AMQP_URL"])
queue = RabbitQueue(os.environ["PEER_NAME"], queue_type=QueueType.QUORUM, durable=True)
concurrency = os.environ.get("PEER_CONCURRENCY")
channel = Channel(prefetch_count=int(concurrency)) if concurrency else None
client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(os.environ["PEER_MONGO_URL"], w="majority")
effects = client[os.environ["PEER_NAME"]]["effects"]


@broker.subscriber(queue, channel=channel)
async def tell(event: dict[str, Any]) -> None:
    effect = {
        "_id": event["id"],
        "practice_id": event["practiceid"],
        "kind": event["type"],
        "at": event["time"],
    }
    await effects.insert_one(effect | event["data"])


if __name__ == "__main__":
    asyncio.run(FastStream(broker).run())
