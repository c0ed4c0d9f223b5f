"""Cases and judges for tests of the council, without a video and without a network."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shared.council_models import Annotations, Answer, Label, Media, Question, Sense, Usage
from shared.domain.council.case import Case, read_case
from shared.domain.scoring.cold_start import predict_cold
from shared.domain.scoring.scores import score_creative
from shared.errors import PipelineError
from shared.inference_models import Inference, TextLine
from shared.models import Analysis, Box, CouncilRules
from shared.score_models import Score, ScoreCard, Signals
from tests.support.vendors import opinion

PRICED = ("gemini://gemini-3.8-flash", "claude://claude-sonnet-4-6", "openai://gpt-5.4-mini")
CLIP = Media(kind="video", media_type="video/mp4", content=b"clip", seconds=20.0)
SHEET = Media(kind="image", media_type="image/jpeg", content=b"\xff\xd8sheet")


def analysis(**changes: Any) -> Analysis:
    """A report on twenty seconds in eight shots, with sound and a face."""
    shots = [
        {
            "start_frame": 75 * n,
            "end_frame": 75 * (n + 1),
            "start_seconds": 2.5 * n,
            "end_seconds": 2.5 * (n + 1),
        }
        for n in range(8)
    ]
    sync = {"sync_points": [2.5], "sync_quality": 0.6, "beat_matches": 3}
    audio = {
        "tempo_bpm": 120.0,
        "beats_seconds": [0.5, 1.0],
        "onsets_seconds": [0.5],
        "speech": [{"start_seconds": 1.0, "end_seconds": 9.0}],
        "loudness_lufs": -16.0,
        "sync": sync,
    }
    report: dict[str, Any] = {
        "video_id": "a" * 32,
        "media": {
            "container": "mov,mp4,m4a,3gp,3g2,mj2",
            "codec": "h264",
            "width": 1080,
            "height": 1920,
            "rotation": 0,
            "fps": 30.0,
            "variable_rate": False,
            "frames": 600,
            "duration_seconds": 20.0,
            "has_audio": True,
            "hdr": False,
        },
        "cuts": [75 * n for n in range(1, 8)],
        "shots": shots,
        "transitions": [],
        "motion_moments": [],
        "faces": {
            "detector": "haar",
            "share": 0.5,
            "max_count": 1,
            "engagement": 0.8,
            "samples": [],
        },
        "hook": {
            "hook_score": 0.75,
            "hook_type": "motion",
            "optimization_suggestions": ["show the product at once"],
            "contributions": {"motion": 0.4},
        },
        "audio": audio,
        "pattern": {
            "video_id": "a" * 32,
            "motion_moments": [],
            "hook_score": 0.75,
            "face_engagement": 0.8,
            "audio_sync_quality": 0.6,
            "extracted_at": "2026-01-02T03:04:05Z",
        },
        "analysers": [],
    }
    return Analysis.model_validate_json(json.dumps({**report, **changes}))


def case(*lines: str, name: str = "ad.mp4", media: tuple[Media, ...] = ()) -> Case:
    """A case with texts on screen, one a second."""
    text = tuple(line_at(n, n + 1, line) for n, line in enumerate(lines))
    found = Inference(video_id="a" * 32, text=text, analysers=())
    return read_case(analysis(), name, found, media=media)


def line_at(start: float, end: float, text: str) -> TextLine:
    """A line of text on screen."""
    box = Box(left=0.1, top=0.1, width=0.5, height=0.1)
    return TextLine(start_seconds=start, end_seconds=end, text=text, confidence=0.9, box=box)


def card(prediction: Mapping[str, Any] | None = None, /, **scores: float | None) -> ScoreCard:
    """A score card that knows these scores and nothing else."""
    made = {name: Score(value=value) for name, value in scores.items()}
    return ScoreCard(
        video_id="a" * 32,
        scored_at=datetime(2026, 1, 2, tzinfo=UTC),
        scores=score_creative(Signals()).model_copy(update=made),
        prediction=predict_cold(Signals()).model_copy(update=prediction),
    )


@dataclass
class FakeModel:
    """A judge that says what it is told to; a callable gets the question and makes the answer."""

    name: str = PRICED[0]
    says: str | dict[str, Any] | Callable[[Question], str] | PipelineError | type[Exception] = (
        field(default_factory=opinion)
    )
    senses: frozenset[Sense] = frozenset({"text", "image"})
    usage: Usage = Usage(input_tokens=1_000, output_tokens=100)  # noqa: RUF009
    hangs: threading.Event | None = None
    asked: list[Question] = field(default_factory=list)

    def estimate(self, question: Question) -> Usage:
        """Four thousand tokens in, and what it may write."""
        return Usage(input_tokens=4_000, output_tokens=question.max_output_tokens)

    def ask(self, question: Question, timeout_seconds: float) -> Answer:
        """What it was told to say, after hanging when it was told to hang."""
        self.asked.append(question)
        if self.hangs is not None:
            self.hangs.wait(30)
        if isinstance(self.says, type):
            raise self.says("unforeseen")
        if isinstance(self.says, PipelineError):
            raise self.says
        said = self.says(question) if callable(self.says) else self.says
        text = said if isinstance(said, str) else json.dumps(said)
        return Answer(text=text, model=self.name, usage=self.usage, seconds=0.1)


@dataclass
class FakeAnnotator:
    """An annotator that finds a logo and a text at the end."""

    name: str = "video-intelligence://google"

    def estimate(self, video: Media) -> Usage:
        """One minute."""
        return Usage(video_seconds=60)

    def annotate(self, video: Media, timeout_seconds: float) -> Annotations:
        """Two shots, a label, a text, a logo."""
        return Annotations(
            shots=((0.0, 2.0), (2.0, 20.0)),
            labels=(label("shoe", 0.0, 20.0),),
            texts=(label("BUY NOW", 17.0, 20.0),),
            logos=(label("Acme", 10.0, 20.0),),
            explicit_likelihood=0.0,
            model="builtin/stable",
            usage=self.estimate(video),
            seconds=1.0,
        )


def label(text: str, start: float, end: float) -> Label:
    """Something found with certainty."""
    return Label(text=text, start_seconds=start, end_seconds=end, confidence=0.9)


RULES = CouncilRules(deadline_seconds=5.0)
