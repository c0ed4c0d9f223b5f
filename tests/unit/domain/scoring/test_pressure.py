"""Urgency, scarcity and social proof: figures on held-out texts, and what is not judged."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.train.pressure import judge_all, pressure_figures
from scripts.train.recipes import PLAIN_SAMPLE, SHOP_SAMPLE
from scripts.train.sources import read_ad_lines, read_shop_texts
from shared.domain.scoring import weights
from shared.domain.scoring.pressure import LABELS, judge_pressure
from shared.domain.scoring.weights import ModelUnavailable


def found(text: str) -> set[str]:
    return {label for label, judged in judge_pressure(text).items() if judged and judged.found}


def test_the_figures_asked_for_are_met_on_texts_the_model_has_not_seen() -> None:
    texts = read_shop_texts(SHOP_SAMPLE)
    figures = pressure_figures(texts, judge_all(texts), "the sample")
    assert [figure.name for figure in figures if not figure.met] == []
    assert len(texts) > 200


def test_headlines_of_news_press_nobody() -> None:
    texts = read_ad_lines(PLAIN_SAMPLE)
    alarms = pressure_figures(texts, judge_all(texts), "headlines")[-1]
    assert alarms.value <= 0.06
    assert len(texts) == 300


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Offer ends in 02:13:44", {"urgency"}),
        ("Only 3 left in stock", {"scarcity"}),
        ("0nly 3 left in stock", {"scarcity"}),
        ("Оnly 3 lеft in stосk", {"scarcity"}),
        ("214 people bought this today", {"social_proof"}),
        ("Free returns within 30 days", set()),
        ("", set()),
        ("🔥🔥🔥", set()),
    ],
)
def test_what_presses_is_told_and_nothing_else(text: str, labels: set[str]) -> None:
    assert found(text) == labels


def test_the_evidence_is_the_sentence_that_presses() -> None:
    story = "We walked along the river and talked about bread for a long while. " * 8
    judged = judge_pressure(story + "Only 2 left in stock! " + story)["scarcity"]
    assert judged is not None
    assert judged.evidence == "Only 2 left in stock!"
    assert judge_pressure(story)["scarcity"].found is False  # type: ignore[union-attr]


def test_another_language_is_unknown_but_for_clocks_and_stars() -> None:
    assert judge_pressure("Nur noch heute bei uns und nicht mehr morgen") == dict.fromkeys(LABELS)
    german = judge_pressure("Das Angebot ist nur noch 02:13:44 da ★★★★★")
    assert german["urgency"] is not None
    assert german["urgency"].evidence == "02:13:44"
    assert german["social_proof"] is not None
    assert german["scarcity"] is None


@given(st.text(max_size=300))
def test_any_text_has_probabilities_or_is_unknown(raw: str) -> None:
    for judged in judge_pressure(raw).values():
        assert judged is None or 0 <= judged.probability <= 1


def test_a_missing_or_changed_model_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "MODELS", tmp_path)
    with pytest.raises(ModelUnavailable, match="has no model pressure"):
        weights.load_weights("pressure")
    (tmp_path / "manifest.json").write_text('{"pressure": {"file": "p.npz", "sha256": "00"}}')
    with pytest.raises(ModelUnavailable, match="is not there"):
        weights.load_weights("pressure")
    (tmp_path / "p.npz").write_bytes(b"changed")
    with pytest.raises(ModelUnavailable, match="not the file that was trained"):
        weights.load_weights("pressure")
