"""The sender against a real receiver: delivered at least once, under one id, and to nobody else."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from services.partners import domain
from services.partners.domain import Delivery, DeliveryState, EndpointState
from services.partners.sender import process
from services.partners.sender.metrics import SENDING
from services.partners.sender.process import Sender
from services.partners.store import Deliveries, Endpoints
from shared.clock import now
from shared.ids import PLATFORM
from shared.store.client import StoreUnavailable
from shared.web import remembered
from tests.figures import Figures
from tests.free_ports import free_port
from tests.partners.conftest import SECRET_KEY, Partners, Receiver, until
from tests.queries.hooks import WATCH
from tests.requests import MASTER_KEY

PORT = free_port()
STARTED = 30.0
"""Seconds within which a process has started, or ended, on a busy machine."""
DELIVERED, FAILED, CANCELLED = DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.CANCELLED


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedule of retries, in hundredths of seconds, and a sender that looks as often."""
    monkeypatch.setattr(process, "POLL", 0.01)
    monkeypatch.setattr(domain, "PAUSES", (timedelta(milliseconds=10),) * 9)


def test_an_event_arrives_as_a_standard_webhook(partners: Partners, receiver: Receiver) -> None:
    endpoint_id, event = partners.permit(receiver.url), partners.agreed()

    with partners.sending():
        until(partners.lease)
        partners.hear(event)
        until(lambda: partners.states(endpoint_id) == [DELIVERED])

    (request,) = receiver.got
    verified = Webhook(partners.secret).verify(request.body, request.headers)
    assert (verified["id"], verified["data"]) == (event.id, event.data)
    assert request.headers["webhook-id"] == event.id
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.body.decode() == partners.database["outgoing"].find_one({"_id": event.id})["envelope"]  # type: ignore[index]
    (delivery,) = partners.deliveries(endpoint_id)
    assert [(attempt.status, attempt.error) for attempt in delivery.attempts] == [(200, None)]


@pytest.mark.usefixtures("soon")
def test_what_fails_is_tried_again_under_the_same_id(partners: Partners, receiver: Receiver) -> None:
    endpoint_id, event = partners.permit(receiver.url), partners.agreed()
    receiver.answers = [500, (302, {"location": receiver.url}), 429]
    partners.hear(event)

    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [DELIVERED])

    (delivery,) = partners.deliveries(endpoint_id)
    assert [attempt.status for attempt in delivery.attempts] == [500, 302, 429, 200]
    assert receiver.ids == [event.id] * 4
    for request in receiver.got:
        Webhook(partners.secret).verify(request.body, request.headers)


@pytest.mark.usefixtures("soon")
def test_what_fails_to_the_end_is_failed(partners: Partners) -> None:
    endpoint_id = partners.permit("http://127.0.0.1:9/nobody-listens")
    partners.hear(partners.agreed())

    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [FAILED])

    (delivery,) = partners.deliveries(endpoint_id)
    assert [attempt.error for attempt in delivery.attempts] == ["connection"] * 10
    assert delivery.next_at is None


@pytest.mark.usefixtures("soon")
def test_deliveries_and_those_that_wait_are_counted(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "PAUSES", (timedelta(milliseconds=10),))
    monkeypatch.setattr(remembered, "_SECONDS", -1.0)
    before = Figures.of(SENDING)
    partners.permit(receiver.url)
    broken = partners.endpoint(receiver.url.replace("/hook", "/").replace("127.0.0.1", "127.0.0.2"))
    Sender(partners.database, partners.settings, "me")  # from now on the figures are of this database

    partners.hear(partners.agreed())
    heard = Figures.of(SENDING)
    partners.fan_out()
    partners.database["deliveries"].update_many({}, {"$set": {"next_at": now() - timedelta(minutes=1)}})
    decided = Figures.of(SENDING)
    with partners.sending():
        until(lambda: Figures.of(SENDING)("tandem_webhook_waiting") == 0)
        held = Figures.of(SENDING)("tandem_sender_lease_held")
    sent = Figures.of(SENDING)
    partners.hear(partners.agreed(35))
    partners.fan_out()
    partners.hear(partners.revoked())
    with partners.sending():
        until(lambda: Figures.of(SENDING)("tandem_webhook_waiting") == 0)
    ended = Figures.of(SENDING)

    assert [heard(f"tandem_webhook_{name}") for name in ("undecided", "waiting", "overdue_seconds")] == [
        1,
        0,
        0,
    ]
    assert [decided(f"tandem_webhook_{name}") for name in ("undecided", "waiting")] == [0, 2]
    assert 60 <= decided("tandem_webhook_overdue_seconds") < 90
    assert (held, sent("tandem_sender_lease_held")) == (1, 0)
    became = {
        state: sent.since(before, "tandem_webhook_attempts_total", became=state)
        for state in ("delivered", "pending", "failed")
    }
    # To the one at once; to the other, where nobody listens, twice.
    assert became == {"delivered": 1, "pending": 1, "failed": 1}, broken
    assert ended.since(sent, "tandem_webhook_cancelled_total") == 2


def test_retry_after_is_obeyed(partners: Partners, receiver: Receiver) -> None:
    endpoint_id = partners.permit(receiver.url)
    receiver.answers = [(503, {"retry-after": "600"})]
    partners.hear(partners.agreed())

    with partners.sending():
        partners.wait_for_attempt(endpoint_id)

    (delivery,) = partners.deliveries(endpoint_id)
    assert delivery.next_at is not None
    assert timedelta(seconds=590) < delivery.next_at - now() <= timedelta(seconds=720)


def test_gone_disables_the_endpoint(partners: Partners, receiver: Receiver) -> None:
    endpoint_id = partners.permit(receiver.url)
    receiver.answers = [410]
    partners.hear(partners.agreed())

    with partners.sending():
        until(lambda: Endpoints(partners.database).get(PLATFORM, endpoint_id).state is EndpointState.DISABLED)
        partners.hear(partners.agreed())
        until(lambda: partners.database["outgoing"].count_documents({"due": {"$exists": True}}) == 0)

    assert partners.states(endpoint_id) == [FAILED]
    assert len(receiver.got) == 1


@pytest.mark.parametrize("taken_back", [Partners.withdrawn, Partners.revoked])
def test_permission_taken_back_since_cancels_the_delivery(
    partners: Partners, receiver: Receiver, taken_back: Callable[[Partners], Any]
) -> None:
    endpoint_id = partners.permit(receiver.url)
    partners.hear(partners.agreed())
    partners.fan_out()
    assert partners.states(endpoint_id) == [DeliveryState.PENDING]

    partners.hear(taken_back(partners))
    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [CANCELLED])

    assert receiver.got == []


def test_an_endpoint_removed_since_gets_nothing(partners: Partners, receiver: Receiver) -> None:
    endpoint_id = partners.permit(receiver.url)
    partners.hear(partners.agreed())
    partners.fan_out()

    endpoint = Endpoints(partners.database).get(PLATFORM, endpoint_id)
    endpoint.remove(now())
    Endpoints(partners.database).save(endpoint)
    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [CANCELLED])

    assert receiver.got == []


@pytest.mark.usefixtures("soon")
def test_an_address_that_must_not_be_dialled_is_not(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_session = process.open_session
    monkeypatch.setattr(process, "open_session", lambda development: open_session(not development))
    endpoint_id = partners.permit(receiver.url)
    partners.hear(partners.agreed())

    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [FAILED])

    assert {attempt.error for attempt in partners.deliveries(endpoint_id)[0].attempts} == {"address_refused"}
    assert receiver.got == []


def test_at_most_four_are_under_way_to_one_endpoint(partners: Partners, receiver: Receiver) -> None:
    slow, events = partners.permit(receiver.url), [partners.agreed() for _ in range(12)]
    receiver.hold.clear()

    with closing(Receiver()) as other:
        quick = partners.endpoint(other.url)
        partners.hear(*events)
        with partners.sending():
            # While the slow one holds its four, the other one gets everything.
            until(lambda: partners.states(quick) == [DELIVERED] * 12)
            until(lambda: receiver.at_once == 4)
            receiver.hold.set()
            until(lambda: partners.states(slow) == [DELIVERED] * 12)

    assert receiver.most_at_once == 4
    assert sorted(receiver.ids) == sorted(other.ids) == sorted(event.id for event in events)


def test_a_second_sender_waits_for_the_first_to_end(partners: Partners, receiver: Receiver) -> None:
    endpoint_id = partners.permit(receiver.url)

    with partners.sending() as first:
        until(lambda: first._lease.held)
        with partners.sending() as second:
            partners.hear(*(partners.agreed() for _ in range(20)))
            until(lambda: partners.states(endpoint_id) == [DELIVERED] * 20)
            assert not second._lease.held

    assert len(set(receiver.ids)) == len(receiver.ids) == 20


def test_a_sender_that_lost_its_lease_stops_at_once(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "RENEW_EVERY", 0.05)
    endpoint_id = partners.permit(receiver.url)
    receiver.hold.clear()
    partners.hear(partners.agreed())

    with partners.sending() as sender:
        until(lambda: receiver.at_once == 1)
        partners.database["leases"].update_one({"_id": "sender"}, {"$set": {"owner": "another"}})
        until(lambda: not sender._under_way)
        assert partners.states(endpoint_id) == [DeliveryState.PENDING]

    assert partners.deliveries(endpoint_id)[0].attempts == ()


def test_however_late_the_store_answers_it_stops_before_another_may_start(partners: Partners) -> None:
    sender = Sender(partners.database, partners.settings, "me")

    one_answered_late_then_none = process.RENEW_WITHIN + process.RENEW_EVERY + process.RENEW_WITHIN

    assert one_answered_late_then_none < sender._lease._ttl.total_seconds()


def test_a_renewal_that_failed_stops_it_though_the_lease_has_a_while(
    partners: Partners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "RENEW_EVERY", 0.05)

    def away() -> bool:
        raise StoreUnavailable

    with partners.sending() as sender:
        until(lambda: sender._sends)
        monkeypatch.setattr(sender._lease, "hold", away)
        until(lambda: not sender._sends)
        assert sender._lease.held


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("step", ["_subject", "_conclude"])
def test_a_delivery_that_breaks_is_recorded_tried_again_and_ends(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    whole = getattr(Sender, step)

    def broken(sender: Sender, delivery: Delivery, *rest: Any) -> Any:
        if delivery.endpoint_id != endpoint_id or (rest and rest[0].error == "internal"):
            return whole(sender, delivery, *rest)
        raise RuntimeError

    monkeypatch.setattr(Sender, step, broken)
    endpoint_id, other = partners.permit(receiver.url), partners.endpoint(receiver.url)
    partners.hear(partners.agreed())

    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [FAILED])

    assert [one.error for one in partners.deliveries(endpoint_id)[0].attempts] == ["internal"] * 10
    assert partners.states(other) == [DELIVERED]


@pytest.mark.usefixtures("soon")
def test_an_endpoint_that_cannot_be_called_for_our_own_fault_says_internal(
    partners: Partners, receiver: Receiver
) -> None:
    endpoint_id = partners.permit(receiver.url)
    partners.database["endpoints"].update_one({"_id": endpoint_id}, {"$set": {"sealed_secret": "?"}})
    partners.hear(partners.agreed())

    with partners.sending():
        until(lambda: partners.states(endpoint_id) == [FAILED])

    assert {one.error for one in partners.deliveries(endpoint_id)[0].attempts} == {"internal"}
    assert receiver.got == []


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("error", [StoreUnavailable, RuntimeError])
def test_what_cannot_be_recorded_comes_again_after_a_pause(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    endpoint_id, broken = partners.permit(receiver.url), threading.Event()

    def record(deliveries: Deliveries, delivery: Delivery) -> None:
        if error is StoreUnavailable or delivery.attempts[-1].error == "internal":
            broken.set()
        raise error

    partners.hear(partners.agreed())
    monkeypatch.setattr(process, "UNRECORDED_PAUSE", 0.5)
    with partners.sending(), monkeypatch.context() as full:
        full.setattr(Deliveries, "record", record)
        assert broken.wait(10)
        failed = time.monotonic()
        full.undo()
        until(lambda: partners.states(endpoint_id) == [DELIVERED])
        paused = time.monotonic() - failed

    assert paused > 0.4
    assert len(receiver.got) == 2


def test_stopping_finishes_what_is_under_way(
    partners: Partners, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint_id, drain = partners.permit(receiver.url), Sender._drain
    receiver.hold.clear()
    partners.hear(partners.agreed())

    async def answered_then(sender: Sender) -> None:
        receiver.hold.set()
        await drain(sender)

    monkeypatch.setattr(Sender, "_drain", answered_then)
    with partners.sending():
        until(lambda: receiver.at_once == 1)

    assert partners.states(endpoint_id) == [DELIVERED]
    assert partners.lease() is None


Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(partners: Partners, mongo_url: str) -> Iterator[Start]:
    """A sender as a process of its own."""
    prefix = partners.database.name
    WATCH.follow(prefix)
    given = {"MONGO_URL": mongo_url, "DATABASE_PREFIX": prefix, "SECRET_KEY": SECRET_KEY}
    given |= {
        "ENVIRONMENT": "development",
        "ISSUER": "http://x",
        "JWKS_URL": "http://x",
        "AMQP_URL": "amqp://x",
    }
    given |= {"SENDER_METRICS_PORT": str(PORT), "MASTER_KEY": MASTER_KEY}
    code = (
        "from dataclasses import replace; from shared.settings import Settings;"
        "from services.partners.sender.process import run;"
        "settings = Settings.read('partners'); Settings.database_name = settings.database_prefix;"
        "run(None, settings)"
    )
    environ = {**os.environ, **{f"TANDEM_{name}": value for name, value in given.items()}}
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([sys.executable, "-c", code], env=environ))
        return started[-1]

    yield start
    for sender in started:
        sender.terminate()
        sender.wait(STARTED)


def child(sender: subprocess.Popen[bytes]) -> int:
    return int(Path(f"/proc/{sender.pid}/task/{sender.pid}/children").read_text().split()[0])


def test_a_child_killed_in_the_middle_is_replaced_and_nothing_waits_for_its_lease(
    partners: Partners, receiver: Receiver, start: Start
) -> None:
    endpoint_id, event = partners.permit(receiver.url), partners.agreed()
    receiver.hold.clear()
    partners.hear(event)
    sender = start()
    until(lambda: receiver.at_once == 1, STARTED)
    lease = partners.lease()

    os.kill(child(sender), signal.SIGKILL)
    receiver.hold.set()
    until(lambda: partners.states(endpoint_id) == [DELIVERED], STARTED)

    assert receiver.ids == [event.id, event.id]
    assert json.loads(receiver.got[0].body) == json.loads(receiver.got[1].body)
    assert partners.lease()["owner"] == lease["owner"]
    assert ready()


def test_a_sender_killed_with_its_child_leaves_the_delivery_to_the_next(
    partners: Partners, receiver: Receiver, start: Start
) -> None:
    endpoint_id, event = partners.permit(receiver.url), partners.agreed()
    receiver.hold.clear()
    partners.hear(event)
    first = start()
    until(lambda: receiver.at_once == 1, STARTED)

    for pid in (first.pid, child(first)):
        os.kill(pid, signal.SIGKILL)
    first.wait()
    receiver.hold.set()
    assert partners.states(endpoint_id) == [DeliveryState.PENDING]
    # As if the 8 s of the dead one's lease had passed.
    partners.database["leases"].update_one(
        {"_id": "sender"}, {"$set": {"until": now() - timedelta(seconds=1)}}
    )
    second = start()
    until(lambda: partners.states(endpoint_id) == [DELIVERED], STARTED)

    second.terminate()
    assert second.wait(STARTED) == 0
    assert receiver.ids == [event.id, event.id]
    assert partners.lease() is None


def ready() -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=10) as answer:
        return bool(answer.status == 200)
