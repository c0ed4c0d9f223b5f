"""Video Intelligence by Google's real client, against a server of ours."""

import time
from collections.abc import Iterator

import grpc
import pytest

from shared.adapters.video_intelligence import google
from shared.council_ports import VideoAnnotator
from shared.errors import (
    AnswerUnusable,
    ConfigError,
    JudgeTimeout,
    JudgeUnavailable,
    KeyRefused,
    PipelineError,
    QuotaExceeded,
    Rejected,
)
from shared.ports import Options
from tests.support.annotation_server import AnnotationState, running_annotation_server
from tests.support.cases import CLIP


@pytest.fixture
def state() -> AnnotationState:
    """What the server does."""
    return AnnotationState()


@pytest.fixture
def annotator(state: AnnotationState) -> Iterator[VideoAnnotator]:
    """The adapter on a server of this test."""
    with running_annotation_server(state) as address:
        yield google.connect(f"video-intelligence://google?endpoint={address}", Options())


def test_what_was_found_comes_with_its_times(
    annotator: VideoAnnotator, state: AnnotationState
) -> None:
    state.polls_needed = 2
    found = annotator.annotate(CLIP, 20.0)
    assert found.shots == ((0.0, 2.0), (2.0, 20.0))
    assert [label.text for label in found.labels or ()] == ["shoe"]
    assert [(t.text, t.start_seconds, t.end_seconds) for t in found.texts or ()] == [
        ("BUY NOW", 16.0, 20.0)
    ]
    assert [(logo.text, round(logo.confidence, 2)) for logo in found.logos or ()] == [("Acme", 0.8)]
    assert found.explicit_likelihood == 0.25
    assert found.usage.video_seconds == 60
    assert state.requests[0].input_content == CLIP.content
    assert len(state.requests[0].features) == 5


def test_an_operation_that_is_never_done_is_left_in_time(
    annotator: VideoAnnotator, state: AnnotationState
) -> None:
    state.polls_needed, started = 10_000, time.monotonic()
    with pytest.raises(JudgeTimeout):
        annotator.annotate(CLIP, 1.0)
    assert time.monotonic() - started < 3.0


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, QuotaExceeded),
        (grpc.StatusCode.PERMISSION_DENIED, KeyRefused),
        (grpc.StatusCode.UNAUTHENTICATED, KeyRefused),
        (grpc.StatusCode.UNAVAILABLE, JudgeUnavailable),
        (grpc.StatusCode.INTERNAL, JudgeUnavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, JudgeTimeout),
        (grpc.StatusCode.INVALID_ARGUMENT, Rejected),
    ],
)
def test_an_error_of_google_is_classed(
    annotator: VideoAnnotator,
    state: AnnotationState,
    code: grpc.StatusCode,
    error: type[PipelineError],
) -> None:
    state.failure = code
    with pytest.raises(error) as caught:
        annotator.annotate(CLIP, 10.0)
    assert type(caught.value) is error


@pytest.mark.parametrize(("code", "error"), [(8, QuotaExceeded), (3, Rejected)])
def test_an_error_within_the_operation_is_classed(
    annotator: VideoAnnotator, state: AnnotationState, code: int, error: type[PipelineError]
) -> None:
    state.operation_error = code
    with pytest.raises(error):
        annotator.annotate(CLIP, 10.0)


def test_a_video_that_google_refuses_is_rejected(
    annotator: VideoAnnotator, state: AnnotationState
) -> None:
    state.video_error = 3
    with pytest.raises(Rejected):
        annotator.annotate(CLIP, 10.0)


def test_an_answer_without_results_is_unusable(
    annotator: VideoAnnotator, state: AnnotationState
) -> None:
    state.empty = True
    with pytest.raises(AnswerUnusable):
        annotator.annotate(CLIP, 10.0)


@pytest.mark.parametrize(
    "url",
    [
        *("video-intelligence://other", "video-intelligence://google/x", "gemini://google"),
        "video-intelligence://google?endpoint=example.com:443",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected video-intelligence://google"):
        google.connect(url, Options())
