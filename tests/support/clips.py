"""Clips for tests, and an embedder that knows a few words."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.clip_models import Clip, ClipSet, ClipVector

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MODEL = "toy"
SAME = {"lady": "woman", "girl": "woman", "parcel": "box", "unwraps": "opens"}


class ToyEmbedder:
    """The mean of one random direction a word; words of like meaning share theirs."""

    model = MODEL

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """(texts, 384) of length 1; a text without words points nowhere special."""
        rows = [
            sum((direction(SAME.get(w, w)) for w in text.lower().split()), direction("") / 1e6)
            for text in texts
        ]
        found = np.array(rows, np.float32)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def direction(word: str) -> NDArray[np.float64]:
    """A direction of its own for each word."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
    vector = np.random.default_rng(seed).standard_normal(384)
    return np.asarray(vector / np.linalg.norm(vector))


def clip(video_id: str = "v", shot: int = 0, **others: Any) -> Clip:
    """A clip of two seconds of which little is known."""
    known: dict[str, Any] = {
        "clip_id": f"{video_id}-{shot:04d}",
        "video_id": video_id,
        "tenant_id": "local",
        "shot": shot,
        "start_seconds": 2.0 * shot,
        "end_seconds": 2.0 * shot + 2.0,
        "rank": shot + 1,
        "made_at": NOON,
    }
    return Clip(**{**known, **others})


def ad_of(video_id: str, *said: str, **others: Any) -> ClipSet:
    """An ad with one clip a sentence, each with its vector."""
    vectors = ToyEmbedder().embed([*said, ""])
    clips = tuple(
        ClipVector(
            clip=clip(video_id, shot, transcript=text, **others),
            vector=tuple(map(float, vectors[shot])) if text else None,
        )
        for shot, text in enumerate(said)
    )
    return ClipSet(video_id=video_id, made_at=NOON, model=MODEL, clips=clips)


def ids(found: Sequence[Any]) -> list[str]:
    """The ids of hits or candidates."""
    return [getattr(one, "clip_id", None) or one.clip.clip_id for one in found]
