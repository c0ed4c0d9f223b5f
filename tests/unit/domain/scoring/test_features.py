"""The feature table: whole, documented, and honest about what is missing."""

from math import isnan

import pytest

from scripts.stages import ROOT
from shared.domain.scoring.feature import Case
from shared.domain.scoring.features import NAMES, TABLE, as_row, features_page, measure_features
from shared.score_models import AdFacts, Signals, TextLine
from tests.unit.domain.scoring.creatives import analysis, everything

GROUPS = {
    "psychology": 5,
    "hook": 10,
    "visual": 15,
    "technical": 12,
    "emotion": 10,
    "object": 10,
    "novelty": 8,
    "demographic": 5,
}


def test_the_table_has_what_the_document_lists() -> None:
    assert len(TABLE) >= 75
    assert len(set(NAMES)) == len(NAMES)
    for group, least in GROUPS.items():
        assert sum(feature.group == group for feature in TABLE) >= least


def test_every_feature_says_how_from_what_and_in_which_unit() -> None:
    for feature in TABLE:
        assert feature.formula
        assert feature.source
        assert feature.unit
        assert feature.missing.startswith("unknown")


def test_the_page_is_that_of_the_code() -> None:
    assert (ROOT / "docs" / "features.md").read_text() == features_page()


def test_with_every_signal_every_feature_is_known_and_in_range() -> None:
    values = measure_features(Case(everything()))
    assert [name for name, value in values.items() if value is None] == []
    for feature in TABLE:
        value = values[feature.name]
        assert value is not None
        if feature.unit == "0-1":
            assert 0 <= value <= 1, feature.name
        if feature.unit == "0 or 1":
            assert value in (0.0, 1.0), feature.name
        if feature.unit == "count":
            assert value >= 0
            assert value == int(value)


def test_without_any_signal_every_feature_is_unknown_and_nothing_is_zero() -> None:
    values = measure_features(Case(Signals()))
    assert set(values.values()) == {None}
    assert all(isnan(value) for value in as_row(values))


@pytest.mark.parametrize(
    ("left_out", "group"),
    [
        ("analysis", "visual"),
        ("emotions", "emotion"),
        ("sightings", "object"),
        ("past_ads", "novelty"),
        ("embedding", "novelty"),
    ],
)
def test_a_missing_signal_takes_its_own_features_only(left_out: str, group: str) -> None:
    whole = everything()
    values = measure_features(Case(whole.model_copy(update={left_out: None})))
    lost = {feature.group for feature in TABLE if values[feature.name] is None}
    assert group in lost
    assert "psychology" not in lost


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hook_is_question", 1.0),
        ("scene_count", 3.0),
        ("scene_mean", 4.0),
        ("first_change_at", 2.0),
        ("cut_rate", 2 / 12),
        ("duration", 12.0),
        ("bitrate", 2000.0),
        ("resolution_score", 1.0),
        ("audio_quality", 1.0),
        ("is_vertical", 1.0),
        ("aspect", 0.5625),
        ("has_captions", 1.0),
        ("speech_share", 4 / 12),
        ("text_time_share", 10 / 12),
        ("text_coverage", 0.2),
        ("has_call_to_action", 1.0),
        ("emotion_happiness", 0.4),
        ("emotion_faces", 2.0),
        ("person_count", 1.0),
        ("product_count", 1.0),
        ("product_area", 0.1),
        ("objects_per_frame", 1.5),
        ("novelty", 0.5),
        ("nearest_distance", 0.0),
        ("likest_age", 30.0),
        ("likeness_to_winners", 0.0),
        ("similar_recent", 1.0),
        ("past_ads", 2.0),
        ("age_alignment", 0.5),
        ("interest_match", 0.5),
        ("persona_fit", 1.0),
        ("language_match", 1.0),
        ("platform_fit", 1.0),
    ],
)
def test_a_feature_is_what_its_formula_says(name: str, value: float) -> None:
    assert measure_features(Case(everything()))[name] == pytest.approx(value, abs=1e-4)


def test_measured_and_nothing_is_zero_not_unknown() -> None:
    values = measure_features(Case(Signals(text=(), words=(), sightings=(), emotions=())))
    assert values["word_count"] == values["person_count"] == values["emotion_faces"] == 0.0
    assert values["urgency_score"] == values["hook_strength"] == 0.0
    assert values["emotion_happiness"] is None


def test_a_wide_and_long_video_fits_a_vertical_platform_badly() -> None:
    ad = AdFacts(platform="tiktok")
    wide = Signals(analysis=analysis(1920, 1080, 68.0), ad=ad)
    values = measure_features(Case(wide))
    assert values["platform_fit"] == pytest.approx(0.5 * 0.5625**2 + 0.25, abs=1e-3)
    elsewhere = wide.model_copy(update={"ad": AdFacts(platform="a new one")})
    assert measure_features(Case(elsewhere))["platform_fit"] is None


def test_german_words_are_counted_but_not_judged() -> None:
    line = TextLine(start_seconds=0, end_seconds=2, text="Warum ist deine Haut nur so trocken?")
    values = measure_features(Case(Signals(text=(line,))))
    assert values["word_count"] == 7.0
    assert values["hook_is_question"] == 1.0
    assert values["urgency_score"] is values["headline_place"] is values["authority_score"] is None
    assert values["curiosity_score"] == 1.0 * values["hook_strength"]  # type: ignore[operator]
