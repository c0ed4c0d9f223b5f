"""What every language model's adapter agrees on: its URL, its time limit, classed errors."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Literal, NoReturn, get_args
from urllib.parse import parse_qs, urlsplit

from shared.council_models import Question, Usage
from shared.errors import (
    AnswerUnusable,
    ConfigError,
    JudgeBlocked,
    JudgeTimeout,
    JudgeUnavailable,
    KeyRefused,
    ModelRetired,
    PipelineError,
    QuotaExceeded,
    Rejected,
)
from shared.ports import Secrets

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 5.0
MAX_ANSWER_BYTES = 2_000_000
BYTES_PER_TOKEN = 2
"""English has four, Chinese two to three: an estimate must not be too low."""
TOKENS_PER_REQUEST = 200
Effort = Literal["low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)


@dataclass(frozen=True)
class Place:
    """Where a judge is asked: `scheme://MODEL?endpoint=URL&secret=NAME&effort=LEVEL`."""

    scheme: str
    model: str
    endpoint: str
    secret: str
    effort: Effort | None

    @property
    def name(self) -> str:
        """How a verdict names this judge."""
        return f"{self.scheme}://{self.model}"


def read_place(url: str, scheme: str) -> Place:
    """The parts of a judge's URL; raises ConfigError with what was expected."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    model = parts.netloc + parts.path
    endpoint = query.get("endpoint", [""])[0]
    level = query.get("effort", [""])[0]
    effort = next((known for known in EFFORTS if known == level), None)
    good = (
        (effort is not None) == ("effort" in query)
        and parts.scheme == scheme
        and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}", model)
        and ".." not in model
        and set(query) <= {"endpoint", "secret", "effort"}
        and re.fullmatch(
            r"|https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._/-]*)?|http://127\.0\.0\.1:\d+", endpoint
        )
    )
    if not good:
        raise ConfigError(
            f"{url!r}: expected {scheme}://MODEL, with ?endpoint=https://HOST for a proxy,"
            f" &secret=NAME for a key of another name, &effort={'|'.join(EFFORTS)} to think less"
        )
    secret = query.get("secret", [f"{scheme}-api-key"])[0]
    return Place(scheme, model, endpoint, secret, effort)


def text_tokens(question: Question) -> int:
    """No fewer tokens than the question's texts and its schema have, media not counted."""
    texts = (question.instructions, question.text, repr(question.answer_schema))
    size = sum(len(text.encode("utf-8", "replace")) for text in texts)
    return TOKENS_PER_REQUEST + math.ceil(size / BYTES_PER_TOKEN)


def estimated(question: Question, media_tokens: int) -> Usage:
    """The most that a call can use: every input token, and as many out as it may write."""
    return Usage(
        input_tokens=text_tokens(question) + media_tokens,
        output_tokens=question.max_output_tokens,
    )


@contextmanager
def bounded_client(timeout_seconds: float) -> Iterator["httpx2.Client"]:
    """A client whose whole call ends in time: a server that drips bytes ends it too.

    No proxies or certificates of the environment, no redirects: a key goes to one host only.
    """
    import httpx2

    ends_at = monotonic() + timeout_seconds

    class Bounded(httpx2.SyncByteStream):
        def __init__(self, stream: httpx2.SyncByteStream) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if monotonic() > ends_at:
                    raise httpx2.ReadTimeout(f"no whole answer in {timeout_seconds:g} s")
                if size > MAX_ANSWER_BYTES:
                    raise httpx2.DecodingError(f"answer over {MAX_ANSWER_BYTES} bytes")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    class Transport(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            response = super().handle_request(request)
            assert isinstance(response.stream, httpx2.SyncByteStream)
            response.stream = Bounded(response.stream)
            return response

    limit = httpx2.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
    with httpx2.Client(
        transport=Transport(), timeout=limit, trust_env=False, follow_redirects=False
    ) as client:
        yield client


@contextmanager
def one_call(place: Place, timeout_seconds: float) -> Iterator["httpx2.Client"]:
    """The client of one bounded call, with what fails on the way as errors of ours."""
    with transport_errors(place, timeout_seconds), bounded_client(timeout_seconds) as http:
        yield http


def key_of(place: Place, secrets: Secrets | None) -> str:
    """The key that a judge is asked with; raises ConfigError before a tenant is known."""
    if secrets is None:
        raise ConfigError(f"{place.name}: no secrets given")
    return secrets.get(place.secret)


@contextmanager
def transport_errors(place: Place, timeout_seconds: float) -> Iterator[None]:
    """Connections that fail, and answers that are no JSON, as errors of ours."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException as problem:
        raise timed_out(place, timeout_seconds) from problem
    except httpx2.DecodingError as problem:
        raise AnswerUnusable(f"{place.name}: {problem}") from problem
    except httpx2.HTTPError as problem:
        raise JudgeUnavailable(f"{place.name}: {type(problem).__name__}") from problem
    except (ValueError, TypeError, AttributeError, KeyError, IndexError) as problem:
        # What the SDKs raise on a body that is not what its status promises.
        raise AnswerUnusable(
            f"{place.name}: the answer is not what its API describes ({type(problem).__name__})"
        ) from problem


def unreached(place: Place, problem: Exception) -> PipelineError:
    """The error that an SDK's own connection error stands for; its cause is the transport's."""
    import httpx2

    if isinstance(problem.__cause__, httpx2.DecodingError):
        return AnswerUnusable(f"{place.name}: {problem.__cause__}")
    return JudgeUnavailable(f"{place.name}: cannot be reached")


def timed_out(place: Place, timeout_seconds: float) -> JudgeTimeout:
    """The error of a judge that took too long."""
    return JudgeTimeout(f"{place.name}: no answer in {timeout_seconds:g} s")


def refuse_status(place: Place, status: int, said: str) -> NoReturn:
    """Raise what an HTTP status means; `said` is the vendor's own code, never its whole text."""
    told = f"{place.name}: {status} {said}".strip()
    if status == 429:
        raise QuotaExceeded(f"{told}: quota used up; wait, or raise it at the vendor's console")
    if status in (401, 403):
        raise KeyRefused(
            f"{told}: the key in secret {place.secret!r} is refused; store a valid one"
        )
    if status == 404:
        raise ModelRetired(f"{told}: no such model; name a current one in GEMINIVIDEO_COUNCIL")
    if status in (408, 504):
        raise JudgeTimeout(f"{told}: the vendor gave up")
    if status >= 500:
        raise JudgeUnavailable(told)
    raise Rejected(f"{told}: the vendor refuses the request")


def refuse_block(place: Place, why: str) -> NoReturn:
    """Raise for an answer that the vendor's safety rules kept back."""
    raise JudgeBlocked(f"{place.name}: kept back by the vendor's safety rules ({why})")


def refuse_truncated(place: Place, question: Question) -> NoReturn:
    """Raise for an answer that was cut at its allowed length."""
    raise AnswerUnusable(
        f"{place.name}: cut off at {question.max_output_tokens} tokens;"
        " raise GEMINIVIDEO_COUNCIL_MAX_OUTPUT_TOKENS"
    )


def short_code(code: object) -> str:
    """A vendor's error code as it may be shown: one short word."""
    text = code if isinstance(code, str) else ""
    return text if re.fullmatch(r"[A-Za-z0-9_.-]{1,60}", text) else ""
