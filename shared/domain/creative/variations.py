"""From a concept to its plan: fifty variations, ranked, the best picked, each with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.creative_models import Concept, Variation, VariationPlan
from shared.domain.creative.lines import Material
from shared.domain.creative.predicting import Judged, make_judge
from shared.domain.creative.ranking import Place, by_expectation, mean_difference, rank_drafts
from shared.domain.creative.strategies import Draft, draft_variations
from shared.domain.scoring.trained import TrainedModel
from shared.models import CreativeRules


@dataclass(frozen=True)
class Occasion:
    """Whose plan it is and when it is made."""

    concept_id: str
    at: datetime
    video_id: str | None = None


@dataclass(frozen=True)
class Planned:
    """A plan, and what the model saw of each variation, by id."""

    plan: VariationPlan
    judged: dict[str, Judged]

    def noted(self, notes: Sequence[str]) -> "Planned":
        """The same, with more notes."""
        plan = self.plan.model_copy(update={"notes": (*self.plan.notes, *notes)})
        return replace(self, plan=plan)


def plan_variations(
    concept: Concept,
    material: Material,
    occasion: Occasion,
    rules: CreativeRules,
    model: TrainedModel | None = None,
) -> Planned:
    """Fifty variations in the order of their ranks, those to render first.

    The same for a concept, its seed, its material and the model; `created_at` is the occasion's.
    Raises LanguageUnknown, TextTooLong, TooFewTexts.
    """
    known = material.trusted
    judge = make_judge(concept, usual_ctr=known.expected_ctr if known else None, model=model)

    def rank(drafts: Sequence[Draft]) -> list[Draft]:
        return [drafts[at] for at in by_expectation(judge(drafts))]

    found = judge(draft_variations(concept, material, rank))
    places = rank_drafts(found, rules)
    variations = tuple(_variation(place, occasion) for place in places)
    plan = VariationPlan(
        concept_id=occasion.concept_id,
        concept=concept,
        video_id=occasion.video_id,
        created_at=occasion.at,
        model_version=found[0].prediction.model_version,
        variations=variations,
        selected=tuple(one.id for one in variations if one.render_priority is not None),
        recommendations=material.recommendations,
        notes=tuple(_notes(found, places, rules)),
    )
    by_id = {one.id: place.judged for one, place in zip(variations, places, strict=True)}
    return Planned(plan, by_id)


def _variation(place: Place, occasion: Occasion) -> Variation:
    draft, judged = place.judged.draft, place.judged
    return Variation(
        id=f"{occasion.concept_id}_var_{place.number}",
        concept_id=occasion.concept_id,
        variation_number=place.number,
        strategy=draft.strategy,
        variations_applied=dict(draft.changed),
        hook=draft.hook.text,
        headline=draft.headline.text,
        cta=draft.cta.text,
        color_scheme=draft.scheme.colors,
        color_scheme_name=draft.scheme.id,
        pacing=draft.pacing,
        duration=draft.duration,
        created_at=occasion.at,
        predicted_performance=judged.score,
        predicted_score=judged.score,
        predicted_ctr=judged.ctr,
        confidence=judged.prediction.confidence,
        variation_hash=draft.hash,
        render_priority=place.priority,
        why=place.why,
    )


def _notes(found: Sequence[Judged], places: Sequence[Place], rules: CreativeRules) -> list[str]:
    """What was lacking, and what picking for difference changed."""
    picked = [place.judged.draft for place in places if place.priority is not None]
    notes = []
    if len(picked) < rules.most_selected:
        notes.append(
            f"{len(picked)} of {rules.most_selected} places are filled: the other variations "
            f"are not expected over {rules.least_score:g}"
        )
    best = [found[at].draft for at in by_expectation(found)[: len(picked)]]
    if len(picked) > 1:
        notes.append(
            f"those picked differ by {mean_difference(picked):.2f} on average (0 alike, 1 nothing "
            f"in common), the {len(best)} best expected ones by {mean_difference(best):.2f}"
        )
    lacked = sorted({name for one in found for name in one.prediction.lacked})
    if lacked and found[0].prediction.rank_score is not None:
        notes.append(f"predicted by rules, not by results; not known: {', '.join(lacked)}")
    return notes
