"""The bus on Google Cloud Pub/Sub; topics and subscriptions are made by Terraform."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from shared.adapters.bus import rules
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.events import Message
from shared.ports import Delivery, Options

PUBLISH_SECONDS = 30.0
RETRY_SECONDS = 10.0
PULL_SECONDS = 3.0
ANSWER_SECONDS = 10.0
MAX_REQUEST_MESSAGES = 1000


def connect(url: str, options: Options) -> "PubsubBus":
    """The bus at `pubsub://PROJECT`; waits, leases and attempts are set on the subscriptions.

    Raises ConfigError for another URL.
    """
    scheme, _, project = url.partition("://")
    if scheme != "pubsub" or not project or not project.replace("-", "").isalnum():
        raise ConfigError(f"{url!r} is not a bus: expected pubsub://PROJECT")
    return PubsubBus(project)


class PubsubBus:
    """Pub/Sub by its plain requests: nothing waits in a batch and no thread is started.

    The batching client of the SDK cannot be used: it takes attributes as keyword arguments, and
    every message of ours has an attribute named `topic`, which is the name of a parameter.
    """

    def __init__(self, project: str) -> None:
        self._project = project
        self._topics: dict[str, str] = {}

    def publish(self, messages: Sequence[Message]) -> Sequence[str]:
        """Return the ids when Pub/Sub has stored every message.

        One request a topic, more for more than 1000 messages or 10 MB. When one fails, earlier
        ones are stored: publish all again. Raises MessageInvalid, ConfigError, RetryLater.
        """
        rules.check_messages(messages)
        ids: dict[int, str] = {}
        for numbers in _requests(messages):
            topic = messages[numbers[0]].topic
            with self._translating("topic", topic):
                stored = self._publisher.publish(
                    topic=f"projects/{self._project}/topics/{topic}",
                    messages=[_wire(messages[number]) for number in numbers],
                    retry=_retry(),
                    timeout=PUBLISH_SECONDS,
                )
            ids.update(zip(numbers, stored.message_ids, strict=True))
        return [ids[number] for number in range(len(messages))]

    def pull(self, subscription: str, *, limit: int = 1) -> Sequence[Delivery]:
        """At most `limit` (1-1000) messages; waits up to 3 s for the first one.

        A message that Pub/Sub hands out in the moment in which the wait ends comes again after
        the subscription's ack deadline. Raises ConfigError, RetryLater.
        """
        from google.api_core.exceptions import DeadlineExceeded

        rules.check_limit(limit)
        with self._translating("subscription", subscription):
            try:
                answer = self._subscriber.pull(
                    subscription=self._subscription_path(subscription),
                    max_messages=limit,
                    retry=None,
                    timeout=PULL_SECONDS,
                )
            except DeadlineExceeded:
                return []
        if not answer.received_messages:
            return []
        topic = self._topic_of(subscription)
        return [_delivery(subscription, topic, received) for received in answer.received_messages]

    def ack(self, delivery: Delivery) -> None:
        """This delivery is done; Pub/Sub ignores it when the ack deadline has passed."""
        with self._translating("subscription", delivery.subscription):
            self._subscriber.acknowledge(
                subscription=self._subscription_path(delivery.subscription),
                ack_ids=[delivery.receipt],
                retry=_retry(),
                timeout=ANSWER_SECONDS,
            )

    def nack(self, delivery: Delivery) -> None:
        """This delivery failed; the subscription's retry and dead-letter policies take over."""
        with self._translating("subscription", delivery.subscription):
            self._subscriber.modify_ack_deadline(
                subscription=self._subscription_path(delivery.subscription),
                ack_ids=[delivery.receipt],
                ack_deadline_seconds=0,
                retry=_retry(),
                timeout=ANSWER_SECONDS,
            )

    def close(self) -> None:
        """Close the connections that were opened; this bus cannot be used after."""
        for name in ("_publisher", "_subscriber"):
            if name in self.__dict__:
                self.__dict__[name].transport.close()

    @cached_property
    def _publisher(self) -> Any:
        from google.pubsub_v1 import PublisherClient

        return PublisherClient()

    @cached_property
    def _subscriber(self) -> Any:
        from google.pubsub_v1 import SubscriberClient

        return SubscriberClient()

    def _subscription_path(self, subscription: str) -> str:
        rules.check_name("subscription", subscription)
        return f"projects/{self._project}/subscriptions/{subscription}"

    def _topic_of(self, subscription: str) -> str:
        """A pulled message does not say its topic; the subscription says it, asked once."""
        if subscription not in self._topics:
            with self._translating("subscription", subscription):
                described = self._subscriber.get_subscription(
                    subscription=self._subscription_path(subscription),
                    retry=_retry(),
                    timeout=ANSWER_SECONDS,
                )
            self._topics[subscription] = str(described.topic).rpartition("/")[2]
        return self._topics[subscription]

    @contextmanager
    def _translating(self, what: str, name: str) -> Iterator[None]:
        """Google's errors as ours."""
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError

        try:
            yield
        except (GoogleAPIError, GoogleAuthError) as problem:
            place = f"{what} {name!r} of project {self._project!r}"
            raise _translated(problem, place) from problem


def _translated(problem: Exception, place: str) -> PipelineError:
    from google.api_core import exceptions as api
    from google.auth import exceptions as auth

    if isinstance(problem, api.NotFound):
        return ConfigError(
            f"{place} does not exist: terraform/ makes it (scripts/deploy), or name the right "
            f"project in GEMINIVIDEO_BUS ({problem})"
        )
    if isinstance(problem, api.PermissionDenied | api.Unauthenticated):
        return ConfigError(
            f"{place}: not allowed; give this account roles/pubsub.publisher on topics, or "
            f"roles/pubsub.subscriber and roles/pubsub.viewer on subscriptions ({problem})"
        )
    if isinstance(problem, api.FailedPrecondition):
        return ConfigError(f"{place} cannot be used like this: {problem}")
    if isinstance(problem, api.InvalidArgument):
        return rules.MessageInvalid(f"{place} refuses this: {problem}")
    if isinstance(problem, auth.GoogleAuthError) and not isinstance(problem, auth.TransportError):
        return ConfigError(
            f"{place}: no usable Google account; run `gcloud auth application-default login`, "
            f"or set GEMINIVIDEO_BUS to sqlite://FILE ({problem})"
        )
    return RetryLater(f"{place} cannot be reached now: {problem}")


def _retry() -> Any:
    """Again while Pub/Sub is away for a moment; repeating any of our requests does no harm."""
    from google.api_core import exceptions, retry

    passing = retry.if_exception_type(
        exceptions.ServiceUnavailable, exceptions.Aborted, exceptions.InternalServerError
    )
    return retry.Retry(predicate=passing, initial=0.1, maximum=2.0, timeout=RETRY_SECONDS)


def _requests(messages: Sequence[Message]) -> Iterator[list[int]]:
    """The numbers of the messages of each request: one topic, at most 1000 and 10 MB."""
    by_topic: dict[str, list[int]] = {}
    for number, message in enumerate(messages):
        by_topic.setdefault(message.topic, []).append(number)
    for numbers in by_topic.values():
        request: list[int] = []
        size = 0
        for number in numbers:
            more = rules.wire_bytes(messages[number])
            full = len(request) == MAX_REQUEST_MESSAGES or size + more > rules.MAX_MESSAGE_BYTES
            if request and full:
                yield request
                request, size = [], 0
            request.append(number)
            size += more
        yield request


def _wire(message: Message) -> dict[str, Any]:
    return {"data": message.data, "attributes": dict(message.attributes)}


def _delivery(subscription: str, topic: str, received: Any) -> Delivery:
    published_at = received.message.publish_time
    return Delivery(
        message=Message(topic, received.message.data, dict(received.message.attributes)),
        message_id=received.message.message_id,
        published_at=datetime.fromtimestamp(published_at.timestamp(), UTC),
        attempt=received.delivery_attempt or 1,
        receipt=received.ack_id,
        subscription=subscription,
    )
