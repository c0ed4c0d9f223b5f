"""Google Video Intelligence: shots, labels, texts, logos and explicit pictures of a video."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NoReturn

from shared.adapters.rules import google_place
from shared.council_models import Annotations, Label, Media, Usage
from shared.errors import (
    AnswerUnusable,
    ConfigError,
    JudgeTimeout,
    JudgeUnavailable,
    KeyRefused,
    QuotaExceeded,
    Rejected,
)
from shared.ports import Options

if TYPE_CHECKING:
    from google.cloud.videointelligence_v1 import VideoIntelligenceServiceClient

NAME = "video-intelligence://google"
MODEL = "builtin/stable"
FEATURES = (
    *("SHOT_CHANGE_DETECTION", "LABEL_DETECTION", "TEXT_DETECTION"),
    *("LOGO_RECOGNITION", "EXPLICIT_CONTENT_DETECTION"),
)
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.5, 4.0
MOST_LABELS = 200
LIKELIEST = 5


def connect(url: str, options: Options) -> "GoogleVideoIntelligence":
    """The annotator `video-intelligence://google`; with ?endpoint=127.0.0.1:PORT for tests."""
    if url.partition("?")[0] != NAME:
        raise ConfigError(f"{url!r}: expected {NAME}, for tests with ?endpoint=127.0.0.1:PORT")
    return GoogleVideoIntelligence(google_place(url, NAME).endpoint)


class GoogleVideoIntelligence:
    """Annotates with the process's own Google account; a call goes on at Google until it is done.

    A deadline ends our waiting, not Google's work: what was started is billed.
    """

    name = NAME

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def estimate(self, video: Media) -> Usage:
        """Whole minutes; the price table's minute is that of all the features together."""
        return Usage(video_seconds=60 * max(1, math.ceil(video.seconds / 60)))

    def annotate(self, video: Media, timeout_seconds: float) -> Annotations:
        """Annotate once and wait; raises JudgeTimeout, QuotaExceeded, KeyRefused and so on."""
        started = monotonic()
        with _google_errors(timeout_seconds), self._client() as client:
            found = self._annotated(client, video, started + timeout_seconds)
        return Annotations(
            shots=tuple(
                (_at(s.start_time_offset), _at(s.end_time_offset)) for s in found.shot_annotations
            ),
            labels=tuple(_labels(found.segment_label_annotations)),
            texts=tuple(_texts(found.text_annotations)),
            logos=tuple(_logos(found.logo_recognition_annotations)),
            explicit_likelihood=_worst(found.explicit_annotation.frames),
            model=MODEL,
            usage=self.estimate(video),
            seconds=monotonic() - started,
        )

    @contextmanager
    def _client(self) -> Iterator["VideoIntelligenceServiceClient"]:
        from google.cloud.videointelligence_v1 import VideoIntelligenceServiceClient

        if self._endpoint:
            import grpc

            transport = VideoIntelligenceServiceClient.get_transport_class("grpc")
            channel = grpc.insecure_channel(self._endpoint)
            client = VideoIntelligenceServiceClient(transport=transport(channel=channel))
        else:
            client = VideoIntelligenceServiceClient()
        with client:
            yield client

    def _annotated(
        self, client: "VideoIntelligenceServiceClient", video: Media, ends_at: float
    ) -> Any:
        from google.cloud.videointelligence_v1 import AnnotateVideoResponse, Feature

        request = {
            "input_content": video.content,
            "features": [getattr(Feature, name) for name in FEATURES],
        }
        started = client.annotate_video(request=request, retry=None, timeout=_left(ends_at))
        operation, wait = started.operation, FIRST_POLL_SECONDS
        while not operation.done:
            sleep(min(wait, _left(ends_at)))
            wait = min(LONGEST_POLL_SECONDS, 1.5 * wait)
            # Not the SDK's own waiting: that bounds the polls together, and no single one.
            operation = client.transport.operations_client.get_operation(
                operation.name, retry=None, timeout=_left(ends_at)
            )
        if operation.HasField("error"):
            _refuse(operation.error.code)
        results = AnnotateVideoResponse.deserialize(operation.response.value).annotation_results
        if not results:
            raise AnswerUnusable(f"{NAME}: an answer without results")
        if results[0].error.code:
            _refuse(results[0].error.code)
        return results[0]


def _left(ends_at: float) -> float:
    left = ends_at - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _refuse(code: int) -> NoReturn:
    """Raise what a google.rpc code inside an answer means."""
    from google.api_core import exceptions as google

    kinds = {3: google.InvalidArgument, 7: google.PermissionDenied, 8: google.ResourceExhausted}
    raise kinds.get(code, google.GoogleAPIError)(f"code {code}")


# A slice of a proto-plus list holds raw messages, a plain list of it holds wrapped ones.
def _labels(annotations: Iterable[Any]) -> Iterator[Label]:
    for annotation in list(annotations)[:MOST_LABELS]:
        for found in list(annotation.segments)[:1]:
            yield _label(annotation.entity.description, found.segment, found.confidence)


def _texts(annotations: Iterable[Any]) -> Iterator[Label]:
    for annotation in list(annotations)[:MOST_LABELS]:
        for found in list(annotation.segments)[:1]:
            yield _label(annotation.text, found.segment, found.confidence)


def _logos(annotations: Iterable[Any]) -> Iterator[Label]:
    for annotation in list(annotations)[:MOST_LABELS]:
        for found in list(annotation.tracks)[:1]:
            yield _label(annotation.entity.description, found.segment, found.confidence)


def _label(text: str, segment: Any, confidence: float) -> Label:
    start, end = _at(segment.start_time_offset), _at(segment.end_time_offset)
    sure = min(1.0, max(0.0, confidence))
    return Label(text=text[:300], start_seconds=start, end_seconds=end, confidence=sure)


def _worst(frames: Iterable[Any]) -> float | None:
    levels = [int(frame.pornography_likelihood) for frame in frames]
    known = [level for level in levels if level > 0]
    return (max(known) - 1) / (LIKELIEST - 1) if known else None


def _at(offset: Any) -> float:
    return max(0.0, float(offset.total_seconds()))


@contextmanager
def _google_errors(timeout_seconds: float) -> Iterator[None]:
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except GoogleAuthError as problem:
        raise KeyRefused(
            f"{NAME}: no Google credentials; run: gcloud auth application-default login"
        ) from problem
    except (google.DeadlineExceeded, TimeoutError) as problem:
        raise JudgeTimeout(f"{NAME}: no answer in {timeout_seconds:g} s") from problem
    except google.ResourceExhausted as problem:
        raise QuotaExceeded(f"{NAME}: quota used up") from problem
    except (google.PermissionDenied, google.Unauthenticated) as problem:
        raise KeyRefused(
            f"{NAME}: this account may not; enable videointelligence.googleapis.com"
        ) from problem
    except google.ClientError as problem:
        raise Rejected(f"{NAME}: refused ({type(problem).__name__})") from problem
    except google.GoogleAPIError as problem:
        raise JudgeUnavailable(f"{NAME}: {type(problem).__name__}") from problem
