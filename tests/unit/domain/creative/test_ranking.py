"""The order: documented scores, a choice that is not ten near-copies, honest reasons."""

import pytest

from shared.creative_models import Variation, VariationPlan
from shared.domain.creative.predicting import storyboard_of
from shared.domain.creative.ranking import mean_difference, words_alike
from shared.domain.creative.variations import Planned
from shared.models import CreativeRules
from tests.unit.domain.creative.concepts import concept_of, plan_of

CONCEPT = concept_of(
    hook="Ends tonight", headline="Hydrated skin", cta="Order the serum today", duration=30
)


def differences(found: Planned) -> float:
    """How much those picked differ."""
    drafts = [found.judged[id].draft for id in found.plan.selected]
    return mean_difference(drafts)


def one_of(plan: VariationPlan, **fields: object) -> Variation:
    """The first variation with some fields."""
    return next(
        one
        for one in plan.variations
        if all(getattr(one, name) == value for name, value in fields.items())
    )


@pytest.mark.parametrize(
    ("pacing", "duration", "score"),
    [("fast", 15, 0.8), ("medium", 15, 0.75), ("slow", 30, 0.7), ("slow", 60, 0.65)],
)
def test_scores_are_those_of_the_document(pacing: str, duration: int, score: float) -> None:
    """0.5 + 0.1 pressing + 0.1 clear call + 0.05 for 15 s + 0.05 fast - 0.05 for 60 s."""
    plan = plan_of(CONCEPT).plan
    found = one_of(plan, pacing=pacing, duration=duration, strategy="pacing_duration")
    assert found.predicted_score == pytest.approx(score)


def test_a_call_that_only_asks_to_look_is_not_a_clear_one() -> None:
    plan = plan_of(CONCEPT).plan
    look = one_of(plan, cta="Learn more", strategy="cta")
    act = one_of(plan, cta="Try HydraGlow Serum", strategy="cta")
    assert act.predicted_score - look.predicted_score == pytest.approx(0.1)
    assert look.predicted_ctr is not None
    assert act.predicted_ctr is not None
    assert look.predicted_ctr < act.predicted_ctr


def test_those_picked_differ_more_than_those_best_expected() -> None:
    for language in ("de", "es", "fr", "pt"):
        concept = concept_of(language=language)
        plain = differences(plan_of(concept, rules=CreativeRules(diversity=0)))
        assert differences(plan_of(concept)) > plain


def test_without_a_weight_the_order_is_that_of_the_scores() -> None:
    plan = plan_of(CONCEPT, rules=CreativeRules(diversity=0)).plan
    scores = [one.predicted_score for one in plan.variations]
    assert scores == sorted(scores, reverse=True)


def test_a_reason_names_what_moved_it_and_which_one_is_before_it() -> None:
    plan = plan_of(CONCEPT).plan
    first = plan.variations[0]
    assert first.why.startswith(f"{first.predicted_score:.2f} by ")
    down = [one for one in plan.variations if "moved down" in one.why]
    places = {one.variation_number: one.render_priority for one in plan.variations}
    for one in down:
        twin = int(one.why.rpartition("number ")[2].partition(" ")[0])
        assert places[twin] is not None
        assert (places[twin] or 0) < (one.render_priority or 0)
    assert all("not picked" in one.why for one in plan.variations if one.render_priority is None)


def test_words_alike_needs_no_language() -> None:
    assert words_alike("Buy now", "buy NOW!") == 1
    assert words_alike("Buy now", "Learn more") == 0
    assert (
        0.5
        < words_alike("保湿セラムで乾燥肌にさよならしましょう", "保湿セラムで乾燥肌にさよなら")
        < 1
    )
    assert words_alike("", "a") == 0


def test_a_storyboard_lasts_as_long_as_its_draft() -> None:
    for id, judged in plan_of(CONCEPT).judged.items():
        scenes = storyboard_of(judged.draft, CONCEPT).scenes
        assert sum(scene.seconds for scene in scenes) == pytest.approx(judged.draft.duration), id
