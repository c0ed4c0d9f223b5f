"""What is expected of drafts: scored as storyboards, by a trained model or the documented rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.creative_models import Concept, Pacing
from shared.domain.creative.strategies import Draft
from shared.domain.scoring.cold_start import BASE, POINTS
from shared.domain.scoring.storyboard import score_storyboard
from shared.domain.scoring.trained import TrainedModel, predict_creatives
from shared.score_models import AdFacts, Audience, Mover, Prediction, Scene, Storyboard

HOOK_SECONDS, END_SECONDS = 3.0, 2.5
SHOT_SECONDS: dict[Pacing, float] = {"fast": 1.5, "medium": 2.5, "slow": 4.0}
CALL = "clear_call_to_action"


@dataclass(frozen=True)
class Judged:
    """A draft with what is expected of it; `score` 0-1, above 0.5 is better than usual."""

    draft: Draft
    score: float
    prediction: Prediction
    features: dict[str, float | None]

    @property
    def ctr(self) -> float | None:
        """The expected click-through rate, a fraction; None when something else is predicted."""
        return self.prediction.value if self.prediction.target == "ctr" else None


Judge = Callable[[Sequence[Draft]], list[Judged]]


def make_judge(
    concept: Concept, *, usual_ctr: float | None = None, model: TrainedModel | None = None
) -> Judge:
    """What judges the drafts of one concept; `model` takes the place of the documented rules."""

    def judge(drafts: Sequence[Draft]) -> list[Judged]:
        scored = [score_storyboard(storyboard_of(one, concept, usual_ctr)) for one in drafts]
        features = [scores.features for scores, _ in scored]
        if model is None:
            found = [_cold(one, told) for one, (_, told) in zip(drafts, scored, strict=True)]
        else:
            usual = model.facts.usual if usual_ctr is None else usual_ctr
            told = predict_creatives(model, features, usual=usual_ctr, explained=len(drafts))
            found = [(_beside(one.value, usual), one) for one in told]
        return [
            Judged(draft, score, prediction, known)
            for draft, (score, prediction), known in zip(drafts, found, features, strict=True)
        ]

    return judge


def storyboard_of(draft: Draft, concept: Concept, usual_ctr: float | None = None) -> Storyboard:
    """The plan of a draft: the hook for 3 s, shots of its pacing, the call for 2.5 s."""
    middle = draft.duration - HOOK_SECONDS - END_SECONDS
    count = max(1, round(middle / SHOT_SECONDS[draft.pacing]))
    shots = [Scene(seconds=middle / count) for _ in range(count)]
    shots[0] = Scene(seconds=middle / count, text=draft.headline.text)
    scenes = (
        Scene(seconds=HOOK_SECONDS, text=draft.hook.text),
        *shots,
        Scene(seconds=END_SECONDS, text=draft.cta.text),
    )
    ad = AdFacts(
        platform=concept.platforms[0],
        industry=concept.industry,
        headline=draft.headline.text,
        call_to_action=draft.cta.text,
        pacing=draft.pacing,
        audience=Audience(language=concept.language),
        expected_ctr=usual_ctr,
    )
    return Storyboard(scenes=scenes, ad=ad)


def _cold(draft: Draft, told: Prediction) -> tuple[float, Prediction]:
    """The documented score; a call that only asks to look earns nothing for being clear."""
    score = told.rank_score or BASE
    if not draft.cta.soft or not any(mover.feature == CALL for mover in told.movers):
        return score, told
    less = round(score - POINTS[CALL], 4)
    share = less / score
    movers = tuple(
        Mover(feature=one.feature, value=one.value, effect=one.effect * share)
        if one.feature == "headline_lift"
        else one
        for one in told.movers
        if one.feature != CALL
    )
    scaled = {"value": told.value * share, "low": told.low * share, "high": told.high * share}
    return less, told.model_copy(update={**scaled, "rank_score": less, "movers": movers})


def _beside(value: float, usual: float) -> float:
    """A value beside the usual one as a score: 0.5 is the usual, 0.67 twice as much."""
    return round(value / (value + usual), 4) if value + usual > 0 else 0.5
