"""Fifty variations of any concept: the counts, all different, within limits, the same each time."""

import json
from collections import Counter
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings

from shared.creative_models import Concept, Recommendations, Variation, VariationPlan
from shared.domain.creative.concept import ConceptInvalid, check_concept
from shared.domain.creative.limits import TextField, TextTooLong, fits
from shared.domain.creative.lines import LanguageUnknown, Material, TooFewTexts
from shared.domain.patterns.templates import Knowledge
from shared.models import CreativeRules
from tests.unit.domain.creative.concepts import (
    AT,
    CONCEPTS,
    HOSTILE,
    LANGUAGES,
    SERUM,
    TEMPLATES,
    concept_of,
    plan_of,
)

COUNTS = {
    "hook": 10,
    "cta": 10,
    "headline": 10,
    "colors": 5,
    "pacing_duration": 9,
    "combination": 6,
}


def check_plan(plan: VariationPlan) -> None:
    """What holds of every plan, whatever the concept."""
    assert Counter(one.strategy for one in plan.variations) == COUNTS
    assert len({one.variation_hash for one in plan.variations}) == 50
    assert sorted(one.variation_number for one in plan.variations) == list(range(1, 51))
    assert len({looks(one) for one in plan.variations}) == 50
    for one in plan.variations:
        for field in get_args(TextField):
            text = getattr(one, field)
            assert text.strip(), field
            assert fits(text, field, plan.concept.platforms), text
        assert one.variations_applied
        assert one.why
        assert one.predicted_score == one.predicted_performance
    picked = [one for one in plan.variations if one.render_priority is not None]
    assert [one.render_priority for one in picked] == list(range(1, len(picked) + 1))
    assert tuple(one.id for one in picked) == plan.selected
    assert len(picked) <= 10
    assert all(one.predicted_score > 0.5 for one in picked)


def looks(one: Variation) -> tuple[object, ...]:
    """All that a viewer would see."""
    return (one.hook, one.headline, one.cta, one.color_scheme, one.pacing, one.duration)


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.mark.soak
@settings(max_examples=500, **QUIET)  # type: ignore[arg-type]
@given(CONCEPTS)
def test_any_of_many_concepts(data: dict[str, Any]) -> None:
    check_any(data)


@settings(max_examples=15, derandomize=True, **QUIET)  # type: ignore[arg-type]
@given(CONCEPTS)
def test_any_concept_has_fifty_different_variations_within_every_limit(
    data: dict[str, Any],
) -> None:
    check_any(data)


def check_any(data: dict[str, Any]) -> None:
    """The plan of whatever somebody may write, twice."""
    try:
        concept = check_concept(data, "any")
    except ConceptInvalid:
        # Longer than 200 once its letters are composed.
        return
    first = plan_of(concept).plan
    check_plan(first)
    assert plan_of(concept).plan == first


@pytest.mark.parametrize("text", HOSTILE[:-1])
@pytest.mark.parametrize("language", ["en", "pt"])
def test_hostile_texts_are_texts(text: str, language: str) -> None:
    fields = dict.fromkeys(("product", "benefit", "pain_point", "target_audience"), text[:200])
    check_plan(plan_of(concept_of(**fields, language=language)).plan)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("industry", ["beauty", "SaaS", "fitness", "E-Commerce", "plumbing"])
def test_every_language_and_industry_has_enough_texts(language: str, industry: str) -> None:
    """Also when nothing that the concept says is short enough to be shown."""
    plan = plan_of(concept_of(language=language, industry=industry)).plan
    check_plan(plan)
    if language != "en":
        assert not any("Learn more" in one.cta for one in plan.variations)
    long = dict.fromkeys(("product", "benefit", "pain_point", "target_audience"), "W" * 200)
    check_plan(plan_of(concept_of(**long, language=language, industry=industry)).plan)


def test_a_variation_says_what_is_not_as_in_the_base() -> None:
    plan = plan_of(concept_of(hook="Look here", headline="New", cta="Go", pacing="slow")).plan
    by_strategy = {one.strategy: one for one in plan.variations}
    assert set(by_strategy["hook"].variations_applied) == {"hook"}
    assert by_strategy["hook"].hook != "Look here"
    assert by_strategy["headline"].hook == "Look here"
    assert {"hook", "cta"} <= set(by_strategy["combination"].variations_applied)
    same = [one for one in plan.variations if "pacing_duration" in one.variations_applied]
    assert [(one.pacing, one.duration) for one in same] == [("slow", 30)]
    fast = [one for one in plan.variations if (one.pacing, one.duration) == ("fast", 15)]
    assert fast[0].variations_applied == {"pacing": "slow -> fast", "duration": "30 s -> 15 s"}


def test_a_brands_colours_are_worn_by_the_base() -> None:
    plan = plan_of(concept_of(brand={"colors": ["#112233", "#445566"]})).plan
    worn = Counter(one.color_scheme_name for one in plan.variations)
    assert worn["brand"] >= 39
    assert {"vibrant", "professional", "modern"} <= set(worn)


def test_a_seed_gives_other_texts_and_the_same_ones_each_time() -> None:
    texts = [
        {looks(one) for one in plan_of(concept_of(seed=seed)).plan.variations} for seed in (0, 7)
    ]
    assert texts[0] != texts[1]
    assert texts[1] == {looks(one) for one in plan_of(concept_of(seed=7)).plan.variations}


def test_the_moment_changes_nothing_but_the_moment() -> None:
    plan = plan_of(concept_of()).plan
    assert {one.created_at for one in plan.variations} == {AT}
    assert plan.variations[0].id == f"{'c' * 32}_var_{plan.variations[0].variation_number}"


def test_an_unknown_language_names_those_there_are() -> None:
    with pytest.raises(LanguageUnknown, match=r"'it': there are templates in de, en, es, fr, pt"):
        plan_of(concept_of(language="it"))


def test_an_own_text_that_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(TextTooLong, match=r"headline is 44 .* at most 40"):
        plan_of(concept_of(headline="h" * 44))
    check_plan(plan_of(concept_of(headline="h" * 44, platforms=["x"])).plan)


def test_too_few_texts_name_field_length_and_limit() -> None:
    hooks = TEMPLATES.knowledge["hooks"]
    few = hooks.model_copy(update={"entries": hooks.entries[:12]})
    knowledge: dict[Any, Knowledge] = {**TEMPLATES.knowledge, "hooks": few}
    long = concept_of(product="W" * 100, benefit="W" * 100, pain_point="W" * 100)
    with pytest.raises(
        TooFewTexts, match=r"hook: 1 different texts in 'en' fit in 51 .*11 are needed"
    ):
        plan_of(long, Material(knowledge))


def test_a_models_copy_is_at_most_half_and_never_the_base() -> None:
    copy = {"hook": [f"A hook of a model, {number}" for number in "abcdefgh"]}
    plan = plan_of(concept_of(), Material(TEMPLATES.knowledge, copy)).plan  # type: ignore[arg-type]
    check_plan(plan)
    by_model = [one for one in plan.variations if "language model" in str(one.variations_applied)]
    assert 5 <= sum(one.strategy == "hook" for one in by_model) <= 5
    headline = next(one for one in plan.variations if one.strategy == "headline")
    assert "of a model" not in headline.hook


def recommended(confidence: float) -> Material:
    """Material with recommendations."""
    known = Recommendations(
        industry="beauty",
        expected_ctr=0.04,
        confidence=confidence,
        hooks=("not_for_everyone",),
        ctas=("show_me",),
        avoid=("question",),
    )
    return Material(TEMPLATES.knowledge, recommendations=known)


def base_of(concept: Concept, material: Material) -> Variation:
    """The variation that is the base."""
    plan = plan_of(concept, material).plan
    return next(one for one in plan.variations if "pacing_duration" in one.variations_applied)


def test_recommendations_count_from_a_confidence_of_a_half() -> None:
    trusted, not_yet = (
        base_of(concept_of(), recommended(0.5)),
        base_of(concept_of(), recommended(0.49)),
    )
    assert (trusted.hook, trusted.cta) == ("This is not for everyone", "Show me")
    assert not_yet.hook == base_of(concept_of(), TEMPLATES).hook
    assert trusted.predicted_ctr is not None
    assert not_yet.predicted_ctr is not None
    assert trusted.predicted_ctr > 2 * not_yet.predicted_ctr
    avoided = plan_of(concept_of(), recommended(0.5)).plan.variations
    questions = {e.id for e in TEMPLATES.knowledge["hooks"].entries if e.hook_type == "question"}
    used = {one.variations_applied.get("hook", "").removeprefix("template ") for one in avoided}
    assert not used & questions


def test_a_plan_is_plain_json() -> None:
    plan = plan_of(concept_of()).plan
    assert VariationPlan.model_validate(json.loads(plan.model_dump_json())) == plan
    assert set(SERUM) <= set(plan.concept.model_dump())


def test_the_settings_bound_the_choice() -> None:
    none = plan_of(concept_of(), rules=CreativeRules(least_score=1.0)).plan
    assert none.selected == ()
    assert any("0 of 10 places are filled" in note for note in none.notes)
    three = plan_of(concept_of(), rules=CreativeRules(most_selected=3)).plan
    assert len(three.selected) == 3
