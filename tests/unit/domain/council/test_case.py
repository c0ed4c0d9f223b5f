"""The case: what judges are told of a video, read from its records, bounded and quoted."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.clip_models import Clip
from shared.domain.council.case import CLIP_CHARACTERS, MOST_INTERESTS, facts_of, read_case
from shared.domain.council.questions import make_question
from shared.domain.patterns.clips import Ad, build_clips
from shared.inference_models import Inference, Transcript, Word
from shared.models import CouncilRules
from shared.score_models import AdFacts, Audience
from tests.support.cases import analysis, card, case, line_at
from tests.support.clips import clip

FOUND = Inference(
    video_id="a" * 32,
    text=(line_at(5.0, 7.5, "Why does <nobody> talk about this?"), line_at(17.5, 20.0, "BUY NOW")),
    transcript=Transcript(
        language="en",
        source="captions",
        words=(Word(word="hello", start_seconds=5.5, end_seconds=6.0, confidence=1.0),),
    ),
    analysers=(),
)


def test_the_best_clips_are_those_that_the_index_keeps() -> None:
    known = card(overall=0.4)
    case_of = read_case(analysis(), "ad.mp4", FOUND, known)
    ad = Ad(tenant_id="local", made_at=analysis().pattern.extracted_at)
    kept = [one.clip for one in build_clips(analysis(), ad, FOUND, known.scores).clips]
    best = sorted(kept, key=lambda one: one.rank)
    assert [one.shot for one in case_of.clips] == [one.shot for one in best]
    assert [one.score for one in case_of.clips] == [one.score for one in best]


@pytest.mark.parametrize("most", [0, 1, 3, 20])
def test_judges_are_told_of_as_many_moments_as_is_set(most: int) -> None:
    told = facts_of(read_case(analysis(), "ad.mp4", FOUND, card()), most)["best_moments"]
    assert len(told) == min(most, 8)
    assert [one["rank"] for one in told] == [*range(1, len(told) + 1)]


def test_a_moment_has_its_times_words_and_score() -> None:
    told = facts_of(read_case(analysis(), "ad.mp4", FOUND, card()), 8)["best_moments"]
    asked = next(one for one in told if one["start_seconds"] == 5.0)
    assert asked["end_seconds"] == 7.5
    assert asked["text_on_screen"] == "Why does <nobody> talk about this?"
    assert asked["said"] == "hello"
    assert asked["hook_type"] not in (None, "none")
    assert 0 < asked["score_0_to_1"] <= 1


def test_what_nobody_read_or_heard_is_not_told_as_silence() -> None:
    nothing = Inference.none_ran("a" * 32, "killed")
    facts = facts_of(read_case(analysis(), "ad.mp4", nothing), 1)
    (moment,) = facts["best_moments"]
    assert moment["text_on_screen"] is moment["said"] is moment["hook_type"] is None
    assert facts["text_on_screen"] is facts["transcript"] is None
    assert facts["signals"] == {}


def test_words_of_a_moment_are_cut_and_stay_in_their_quotes() -> None:
    long: Clip = clip(text="<b>" + "x" * 9_000, transcript="\u202e" + "y" * 9_000)
    clips = tuple(long.model_copy(update={"rank": n + 1}) for n in range(20))
    question = make_question(replace(case(), clips=clips), CouncilRules(most_clips=20), "nonce")
    (_, _, body) = question.text.partition("<data-nonce>")
    body = body.partition("</data-nonce>")[0]
    assert "<" not in body
    moments: list[dict[str, Any]] = json.loads(body)["best_moments"]
    assert max(len(one["text_on_screen"]) for one in moments) == CLIP_CHARACTERS
    assert moments[0]["said"][0] == "y"
    assert len(question.text) < 25_000


def test_signals_are_scores_hook_and_prediction_by_name_not_a_hundred_features() -> None:
    signals = read_case(analysis(), "ad.mp4", FOUND, card({"band": "low"}, urgency=0.7)).signals
    assert signals["urgency"] == 0.7
    assert signals["prediction.band"] == "low"
    assert "prediction.ctr" in signals
    assert "word_count" not in signals
    assert len(signals) < 30


def test_what_the_owner_says_is_told_without_what_the_owner_did_not_say() -> None:
    audience = Audience(age_from=25, interests=("x" * 500,) * 99)
    ad = AdFacts(platform="tiktok", headline="y" * 9_000, audience=audience)
    told = facts_of(replace(case(), ad=ad), 0)["said_by_its_owner"]
    assert told["platform"] == "tiktok"
    assert len(told["headline"]) == 200
    assert len(told["audience_interests"]) == MOST_INTERESTS
    assert "industry" not in told
    assert facts_of(case(), 0)["said_by_its_owner"] == {}
