"""A plan is scored by what it tells, and says what only a video could."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.storyboard import score_storyboard, signals_of
from shared.score_models import AdFacts, Scene, Storyboard

PLAN = Storyboard(
    scenes=(
        Scene(seconds=2, text="Tired of dry skin?", picture="person"),
        Scene(seconds=8, spoken="I tried this cream for a week.", picture="product"),
        Scene(seconds=5, text="Shop now. Offer ends tonight!", picture="text_card"),
    ),
    ad=AdFacts(expected_ctr=0.02),
)


def test_words_lengths_and_pictures_of_a_plan_are_scored() -> None:
    scores, prediction = score_storyboard(PLAN)
    features = scores.features
    assert scores.hook.kind == "question"
    assert features["duration"] == 15.0
    assert features["scene_count"] == 3.0
    assert features["cut_rate"] == pytest.approx(2 / 15, abs=1e-6)
    assert features["picture_is_product"] == pytest.approx(1 / 3, abs=1e-6)
    assert features["picture_is_scenery"] == 0.0
    assert features["text_time_share"] == pytest.approx(7 / 15, abs=1e-6)
    assert features["has_call_to_action"] == 1.0
    assert prediction.rank_score == pytest.approx(0.65)
    assert prediction.lacked == ()


def test_what_only_a_video_shows_is_unknown_and_said() -> None:
    scores, _ = score_storyboard(PLAN)
    for name in ("visual_energy", "face_share", "fps", "loudness", "person_count", "novelty"):
        assert scores.features[name] is None
    assert scores.technical.value is scores.emotion.value is scores.objects.value is None
    assert scores.overall.value is not None
    assert set(scores.overall.unknown) == {"technical", "emotion", "objects", "novelty"}
    assert {"analysis", "sightings", "emotions"} <= {lack.signal for lack in scores.lacked}


def test_a_scene_that_does_not_name_its_picture_leaves_the_kinds_unknown() -> None:
    plan = Storyboard(scenes=(Scene(seconds=3, picture="person"), Scene(seconds=3)))
    scores, prediction = score_storyboard(plan)
    assert scores.features["picture_is_person"] is None
    assert scores.hook.kind == "none"
    assert scores.features["word_count"] == 0.0
    assert "headline" in prediction.lacked


@given(
    st.lists(
        st.builds(
            Scene,
            seconds=st.floats(0.1, 100),
            text=st.text(max_size=40),
            spoken=st.text(max_size=40),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_words_stay_within_their_scene_and_every_plan_is_scored(scenes: list[Scene]) -> None:
    plan = Storyboard(scenes=tuple(scenes))
    signals = signals_of(plan)
    assert signals.duration_seconds == pytest.approx(sum(scene.seconds for scene in scenes))
    ends = [word.end_seconds for word in signals.words or ()]
    assert all(end <= (signals.duration_seconds or 0) + 1e-6 for end in ends)
    scores, prediction = score_storyboard(plan)
    assert scores.overall.value is None or 0 <= scores.overall.value <= 1
    assert prediction.low <= prediction.value <= prediction.high
