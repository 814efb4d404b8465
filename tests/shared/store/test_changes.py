"""The wake-up ends when it is told to, whatever it is doing."""

import threading
import time
from typing import Any

from shared.store.changes import Wakeup


def test_it_ends_at_once_while_another_thread_still_waits(database: Any) -> None:
    database.create_collection("things")
    wakeup = Wakeup(database, ["things"])
    wakeup.start()
    waiting = threading.Thread(target=lambda: [wakeup.wait(0.1), wakeup.wait(10.0)])
    waiting.start()
    time.sleep(0.5)

    began = time.monotonic()
    wakeup.stop()

    assert time.monotonic() - began < 3.0
    waiting.join()
