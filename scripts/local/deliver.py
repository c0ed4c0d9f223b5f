"""Delivers queue messages to the functions as the Pub/Sub pushes that production sends."""

import base64
import logging
from collections.abc import Mapping, Sequence
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx

from scripts.stages import Stage, subscription_of
from shared.errors import PipelineError
from shared.ports import Bus, Delivery

log = logging.getLogger("geminivideo.local")

ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
IDLE_SECONDS = 0.1
TROUBLE_SECONDS = 1.0


def push_body(delivery: Delivery) -> dict[str, Any]:
    """The JSON of one push, as Pub/Sub sends it."""
    return {
        "message": {
            "data": base64.b64encode(delivery.message.data).decode(),
            "attributes": dict(delivery.message.attributes),
            "messageId": delivery.message_id,
            "publishTime": delivery.published_at.isoformat().replace("+00:00", "Z"),
        },
        "subscription": f"projects/local/subscriptions/{delivery.subscription}",
        "deliveryAttempt": delivery.attempt,
    }


class Deliverer(Thread):
    """Takes one message after the other from every subscription in turn, and pushes it."""

    def __init__(self, bus: Bus, stages: Mapping[str, Stage], url: str, stopping: Flag) -> None:
        super().__init__(name="deliver", daemon=True)
        self._bus, self._stages, self._url, self._stopping = bus, stages, url, stopping

    def run(self) -> None:
        """Deliver until told to stop."""
        # A proxy of the user's has no business between us and ourselves.
        with httpx.Client(base_url=self._url, trust_env=False) as client:
            while not self._stopping.is_set():
                if sum(self._deliver_one(client, name) for name in self._stages) == 0:
                    self._stopping.wait(IDLE_SECONDS)

    def _deliver_one(self, client: httpx.Client, name: str) -> bool:
        try:
            deliveries = self._bus.pull(subscription_of(name), limit=1)
            for delivery in deliveries:
                self._push(client, name, delivery)
        except PipelineError as problem:
            log.warning("the queue cannot be used now: %s", problem)
            self._stopping.wait(TROUBLE_SECONDS)
            return False
        return bool(deliveries)

    def _push(self, client: httpx.Client, name: str, delivery: Delivery) -> None:
        timeout = self._stages[name].timeout_seconds
        try:
            answer = client.post(f"/push/{name}/", json=push_body(delivery), timeout=timeout)
        except httpx.HTTPError as problem:
            if not self._stopping.is_set():
                log.warning("%s did not answer: %s", name, problem)
            self._bus.nack(delivery)
            return
        if answer.status_code in ACKNOWLEDGING:
            self._bus.ack(delivery)
        else:
            self._bus.nack(delivery)


def start_deliverers(
    bus: Bus, stages: Mapping[str, Stage], url: str, stopping: Flag, *, count: int
) -> Sequence[Deliverer]:
    """As many deliverers as messages are handled at once."""
    pushed = {name: stage for name, stage in stages.items() if not stage.http}
    deliverers = [Deliverer(bus, pushed, url, stopping) for _ in range(count)]
    for deliverer in deliverers:
        deliverer.start()
    return deliverers
