"""Clips: every shot with what is known of it, and nothing made up."""

import json
from typing import Any

import pytest

from shared.clip_models import Clip
from shared.domain.patterns.clips import Ad, best_clips, build_clips
from shared.domain.scoring.cold_start import predict_cold
from shared.domain.scoring.scores import score_creative
from shared.inference_models import Inference
from shared.models import Faces, FaceSample
from tests.support.clips import NOON, clip
from tests.unit.domain.scoring.creatives import analysis, everything

AD = Ad(
    tenant_id="local",
    name="ad.mp4",
    path="videos/0/source",
    contact_sheet="analysis/0/1.contact.jpg",
    made_at=NOON,
)
MAY_BE_UNKNOWN = ("transcript", "text", "objects", "hook_type", "predicted_ctr", "has_face")
BOX = {"left": 0.1, "top": 0.1, "width": 0.5, "height": 0.1, "tracked": False, "track": None}
SURE = {"confidence": 0.9, "box": BOX}
# As the heavy inference stores it.
STORED: dict[str, Any] = {
    "video_id": "0" * 32,
    "text": [
        {"start_seconds": 0.0, "end_seconds": 3.0, "text": "Tired of dry skin?", **SURE},
        {"start_seconds": 2.5, "end_seconds": 4.0, "text": "Tired of dry skin?", **SURE},
        {"start_seconds": 8.0, "end_seconds": 12.0, "text": "Shop now", **SURE},
    ],
    "objects": [
        {"shot": 1, "at_seconds": 2.0, "label": "bottle", "confidence": 0.6, "box": BOX},
        {"shot": 1, "at_seconds": 2.5, "label": "person", "confidence": 0.9, "box": BOX},
        {"shot": 1, "at_seconds": 3.0, "label": "bottle", "confidence": 0.7, "box": BOX},
    ],
    "transcript": {
        "language": "en",
        "source": "captions",
        "words": [
            {"word": "Look", "start_seconds": 1.0, "end_seconds": 1.5, "confidence": 1.0},
            {"word": "here", "start_seconds": 1.8, "end_seconds": 2.4, "confidence": 1.0},
        ],
    },
    "embeddings": {
        "model": "all-MiniLM-L6-v2",
        "dimensions": 384,
        "text": "Tired",
        "whole": [1.0] + [0.0] * 383,
        "shots": [{"shot": 2, "text": "Shop now", "vector": [0.0, 1.0] + [0.0] * 382}],
    },
    "analysers": [],
}


def found() -> Inference:
    return Inference.model_validate_json(json.dumps(STORED))


def test_what_nobody_measured_stays_unknown() -> None:
    """Faces were not looked for, no network ran, nobody scored: motion alone is known."""
    blind = Faces(share=None, max_count=None, engagement=None, samples=())
    ads = build_clips(analysis().model_copy(update={"faces": blind}), AD)
    assert len(ads.clips) == 3
    assert ads.whole is None
    for one in ads.clips:
        assert one.vector is None
        unknown = one.clip.model_dump(include=set(MAY_BE_UNKNOWN))
        assert unknown == dict.fromkeys(MAY_BE_UNKNOWN)
        assert {k for k, v in one.clip.features.items() if v is not None} == {"motion"}
        assert one.clip.score == pytest.approx(one.clip.features["motion"], abs=1e-3)


def test_a_clip_holds_what_happens_in_its_shot() -> None:
    """A line shown twice stands once, a word belongs where its middle is."""
    first, second, third = (one.clip for one in build_clips(analysis(), AD, found()).clips)
    assert (first.text, second.text, third.text) == (
        "Tired of dry skin?",
        "Tired of dry skin?",
        "Shop now",
    )
    assert (first.transcript, second.transcript, third.transcript) == ("Look", "here", "")
    assert (first.objects, second.objects) == ((), ("person", "bottle"))
    assert (first.hook_type, third.hook_type) == ("question", "command")
    assert first.clip_id == f"{'0' * 32}-0000"
    assert (first.start_seconds, first.end_seconds, first.language) == (0.0, 2.0, "en")
    assert first.thumbnail_path == AD.contact_sheet


def test_a_face_is_seen_where_it_was_found() -> None:
    samples = tuple(
        FaceSample(frame=frame, at_seconds=frame / 30, boxes=boxes)
        for frame, boxes in ((0, analysis().faces.samples[0].boxes), (30, ()), (70, ()))
    )
    faces = analysis().faces.model_copy(update={"samples": samples})
    clips = build_clips(analysis().model_copy(update={"faces": faces}), AD).clips
    assert [one.clip.has_face for one in clips] == [True, False, None]
    assert clips[0].clip.features["face_share"] == 0.5


def test_vectors_belong_to_their_shots() -> None:
    ads = build_clips(analysis(), AD, found())
    assert [one.vector is None for one in ads.clips] == [True, True, False]
    assert (ads.model, ads.whole and ads.whole[0]) == ("all-MiniLM-L6-v2", 1.0)


def test_the_ads_prediction_stands_on_each_clip() -> None:
    scores = score_creative(everything())
    prediction = predict_cold(everything())
    clips = [one.clip for one in build_clips(analysis(), AD, found(), scores, prediction).clips]
    assert {one.predicted_ctr for one in clips} == {prediction.value}
    assert all(one.features["ad"] == scores.overall.value for one in clips)


def test_ranks_follow_scores_and_the_best_go_to_the_council() -> None:
    clips = [one.clip for one in build_clips(analysis(), AD, found()).clips]
    ordered = sorted(clips, key=lambda one: one.rank)
    assert [one.rank for one in ordered] == [1, 2, 3]
    values = [one.score or 0.0 for one in ordered]
    assert values == sorted(values, reverse=True)
    assert best_clips(clips, 2) == tuple(ordered[:2])
    assert best_clips(clips, 99) == tuple(ordered)


def test_the_same_inputs_make_the_same_clips() -> None:
    assert build_clips(analysis(), AD, found()) == build_clips(analysis(), AD, found())


def test_a_clip_comes_back_from_json() -> None:
    one = clip(objects=("a",), score=0.5)
    assert Clip.model_validate_json(one.model_dump_json()) == one
