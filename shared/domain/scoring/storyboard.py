"""A storyboard scored as a video would be: what a plan tells is used, the rest is unknown."""

import hashlib
import json
from itertools import accumulate
from typing import get_args

from pydantic import ValidationError

from shared.domain.scoring.cold_start import predict_cold
from shared.domain.scoring.scores import score_creative
from shared.errors import Rejected
from shared.inference_models import Word
from shared.score_models import (
    MAX_STORYBOARD_BYTES,
    PictureKind,
    Prediction,
    Scores,
    Signals,
    Storyboard,
    TextLine,
)

# People say about 2.5 words a second in ads; a line is spoken from where its scene begins.
WORDS_A_SECOND = 2.5
MAX_BYTES = MAX_STORYBOARD_BYTES
MOST_COMPLAINTS = 5


class StoryboardInvalid(Rejected):
    """Not a storyboard; the message names the place and what is expected there."""


def read_storyboard(content: bytes, place: str) -> Storyboard:
    """A storyboard from JSON; `place` is what errors name. Raises StoryboardInvalid."""
    if len(content) > MAX_BYTES:
        raise StoryboardInvalid(
            f"{place}: {len(content)} bytes; a storyboard has at most {MAX_BYTES}"
        )
    try:
        return Storyboard.model_validate(json.loads(content))
    except ValidationError as problem:
        found = [
            f"{'.'.join(map(str, e['loc'])) or 'the whole'}: {e['msg']}" for e in problem.errors()
        ]
        more = f" (and {len(found) - MOST_COMPLAINTS} more)" * (len(found) > MOST_COMPLAINTS)
        raise StoryboardInvalid(
            f"{place}: {'; '.join(found[:MOST_COMPLAINTS])}{more}; "
            "`scripts/gv score --example` prints a storyboard to start from"
        ) from problem
    except (ValueError, RecursionError) as problem:
        raise StoryboardInvalid(f"{place}: {problem}; expected one JSON object") from problem


def storyboard_id(storyboard: Storyboard, tenant_id: str) -> str:
    """32 hexadecimal digits of SHA-256 over the tenant and all that the storyboard says."""
    content = storyboard.model_dump_json().encode()
    return hashlib.sha256(tenant_id.encode() + b"\0" + content).hexdigest()[:32]


def score_storyboard(storyboard: Storyboard) -> tuple[Scores, Prediction]:
    """The scores and the cold-start prediction of a plan; `lacked` says what only a video shows."""
    signals = signals_of(storyboard)
    return score_creative(signals), predict_cold(signals)


def signals_of(storyboard: Storyboard) -> Signals:
    """What a storyboard tells of words, lengths and pictures.

    A scene without text shows none; a kind of picture is known when every scene names its own.
    """
    starts = [0.0, *accumulate(scene.seconds for scene in storyboard.scenes)]
    timed = [*zip(starts, storyboard.scenes, strict=False)]
    return Signals(
        text=tuple(
            TextLine(start_seconds=at, end_seconds=at + scene.seconds, text=scene.text)
            for at, scene in timed
            if scene.text.strip()
        ),
        words=tuple(
            word for at, scene in timed for word in _spoken(at, scene.seconds, scene.spoken)
        ),
        pictures=_pictures(storyboard),
        ad=storyboard.ad,
        duration_seconds=starts[-1],
        scene_seconds=tuple(scene.seconds for scene in storyboard.scenes),
    )


def _spoken(at: float, seconds: float, text: str) -> list[Word]:
    """The words of a scene spread over it at the usual pace, faster when they would not fit."""
    words = text.split()
    step = min(1 / WORDS_A_SECOND, seconds / max(1, len(words)))
    return [
        Word(word=word, start_seconds=at + i * step, end_seconds=at + (i + 1) * step, confidence=1)
        for i, word in enumerate(words)
    ]


def _pictures(storyboard: Storyboard) -> dict[PictureKind, float] | None:
    """The share of the scenes of each kind; None when a scene does not say."""
    kinds = [scene.picture for scene in storyboard.scenes]
    if None in kinds:
        return None
    named: tuple[PictureKind, ...] = get_args(PictureKind)
    return {kind: kinds.count(kind) / len(kinds) for kind in named if kind in kinds}
