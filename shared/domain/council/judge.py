"""One video before the council: who can be paid is asked, who answers in form is heard."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Protocol

from shared.council_models import Agreement, Cost, Criterion, Testimony, Verdict
from shared.domain.council.case import Case
from shared.domain.council.consensus import (
    Voice,
    agree,
    band_of,
    best_scenes,
    confidence_of,
    disagree,
    merge_remarks,
    merge_suggestions,
)
from shared.domain.council.heuristic import HEURISTIC, judge_by_rules
from shared.domain.council.panel import JudgeCrashed, Reply, ask_all
from shared.domain.council.prices import PriceTable, read_prices
from shared.domain.council.questions import make_question
from shared.domain.council.quoting import addresses_a_judge, plain
from shared.domain.council.seats import Annotator, AnnotatorSeat, Heard, Model, ModelSeat, Seat
from shared.errors import (
    AnswerUnusable,
    JudgeBlocked,
    JudgeTimeout,
    JudgeUnavailable,
    PipelineError,
)
from shared.models import CouncilRules

MAYBE_BILLED = (AnswerUnusable, JudgeBlocked, JudgeCrashed, JudgeTimeout, JudgeUnavailable)
"""After these nobody knows what the vendor bills, so the estimate stands."""
REASON_CHARACTERS = 300
NO_VIDEO = "no_video"


class Budget(Protocol):
    """Money that is put aside before a call and accounted for after it."""

    def hold(self, judge: str, micro_usd: int) -> str:
        """Put money aside; returns why not, empty when it is."""

    def settle(self, judge: str, micro_usd: int) -> None:
        """What the call really cost, in place of what was put aside."""


@dataclass(frozen=True)
class Bench:
    """Everybody who may be asked, and what pays for it."""

    models: Sequence[Model] = ()
    annotators: Sequence[Annotator] = ()
    budget: Budget | None = None


def judge_video(case: Case, bench: Bench, rules: CouncilRules, on: date) -> Verdict:
    """The verdict on one video; the heuristic judge alone gives one when nobody else does.

    `on` is the day whose prices hold. Raises ConfigError for a price table that is none.
    """
    started, prices = monotonic(), read_prices(rules.prices)
    seats, blind = _seats(case, bench, rules)
    held = [_hold(seat, bench.budget, prices, on) for seat in seats]
    paid = [seat for seat, refused in zip(seats, held, strict=True) if isinstance(refused, int)]
    replies = iter(ask_all(paid, rules.deadline_seconds))
    testimonies = [
        _testimony(next(replies), one, bench.budget, prices, on) if isinstance(one, int) else one
        for one in held
    ]
    return conclude(case, [*testimonies, *blind], rules, prices.version, monotonic() - started)


def conclude(
    case: Case,
    testimonies: Sequence[Testimony],
    rules: CouncilRules,
    price_table: str,
    seconds: float,
) -> Verdict:
    """The verdict that follows from what the judges said; the heuristic judge is added here."""
    opinion, lacked = judge_by_rules(case)
    own = Testimony(judge=HEURISTIC, model=HEURISTIC, opinion=opinion, lacked=lacked)
    weighed = [
        one.model_copy(update={"weight": _weight(one.judge, rules)}) for one in (own, *testimonies)
    ]
    voices = [Voice(one.judge, one.opinion, one.weight) for one in weighed if one.opinion]
    voices.sort(key=lambda voice: -voice.pull)
    scores = agree(voices, rules.outlier_deviations)
    overall = scores["overall"]
    alone = len(voices) == 1
    return Verdict(
        video_id=case.analysis.video_id,
        scores=scores,
        overall=overall.score or 0.0,
        ctr_band=band_of(voices),
        confidence=confidence_of(voices, overall),
        heuristic_only=alone,
        note=_note(weighed, alone),
        disagreement=disagree(scores),
        strengths=merge_remarks([voice.opinion.strengths for voice in voices]),
        weaknesses=merge_remarks([voice.opinion.weaknesses for voice in voices]),
        suggestions=merge_suggestions(voices),
        scenes=best_scenes(voices),
        testimonies=tuple(
            one.model_copy(update={"outlier_in": _outlier_in(one.judge, scores)}) for one in weighed
        ),
        injection_suspected=addresses_a_judge(case.outside_texts),
        cost_micro_usd=sum(one.cost.metered_micro_usd or 0 for one in weighed),
        price_table=price_table,
        seconds=round(seconds, 3),
    )


def _seats(case: Case, bench: Bench, rules: CouncilRules) -> tuple[list[Seat], list[Testimony]]:
    """Everybody with the question as they can see it; an annotator without a video is left out."""
    question = make_question(case, rules, secrets.token_hex(8))
    seats: list[Seat] = [
        ModelSeat(model, question.for_senses(model.senses), case.seconds, rules.deep)
        for model in bench.models
    ]
    video = next((part for part in case.media if part.kind == "video"), None)
    if video is not None:
        return [*seats, *(AnnotatorSeat(one, video) for one in bench.annotators)], []
    why = f"the video is over {rules.max_video_bytes} bytes, or of a kind that is not sent"
    return seats, [
        Testimony(judge=one.name, left_out=NO_VIDEO, reason=why) for one in bench.annotators
    ]


def _hold(seat: Seat, budget: Budget | None, prices: PriceTable, on: date) -> Testimony | int:
    """Who is not asked and why, or what was put aside for asking it."""
    estimate = prices.cost(seat.name, seat.estimate(), on)
    left = Testimony(judge=seat.name, senses=seat.senses, cost=Cost(estimated_micro_usd=estimate))
    if estimate is None:
        why = (
            f"price table {prices.version} has no price for this use of {seat.name} on {on};"
            " add one and name the file in GEMINIVIDEO_COUNCIL_PRICES"
        )
        return left.model_copy(update={"left_out": "unknown_price", "reason": why})
    refused = budget.hold(seat.name, estimate) if budget else ""
    if refused:
        return left.model_copy(update={"left_out": "over_budget", "reason": refused})
    return estimate


def _testimony(
    reply: Reply, estimate: int, budget: Budget | None, prices: PriceTable, on: date
) -> Testimony:
    outcome, name = reply.outcome, reply.seat.name
    heard = outcome if isinstance(outcome, Heard) else None
    problem = heard.problem if heard else outcome
    if heard:
        metered = prices.cost(name, heard.usage, on)
        metered = estimate if metered is None else metered
    else:
        metered = estimate if isinstance(outcome, MAYBE_BILLED) else 0
    if budget:
        budget.settle(name, metered)
    usage = heard.usage if heard else None
    return Testimony(
        judge=name,
        model=plain(heard.model, 100) if heard else "",
        senses=reply.seat.senses,
        opinion=heard.opinion if heard else None,
        left_out=problem.code if isinstance(problem, PipelineError) else "",
        reason=plain(str(problem), REASON_CHARACTERS) if problem else "",
        seconds=round(reply.seconds, 3),
        cost=Cost(estimated_micro_usd=estimate, metered_micro_usd=metered, usage=usage),
    )


def _weight(judge: str, rules: CouncilRules) -> float:
    scheme = judge.partition("://")[0]
    return rules.weights.get(judge, rules.weights.get(scheme, 1.0))


def _outlier_in(judge: str, scores: Mapping[Criterion, Agreement]) -> tuple[Criterion, ...]:
    return tuple(name for name, agreement in scores.items() if judge in agreement.outliers)


def _note(testimonies: Sequence[Testimony], alone: bool) -> str:
    out = [f"{one.judge} ({one.left_out})" for one in testimonies if one.left_out]
    heard = sum(1 for one in testimonies if one.opinion)
    if alone and not out:
        return "the heuristic judge alone: no other judge is set in GEMINIVIDEO_COUNCIL"
    words = "the heuristic judge alone" if alone else f"{heard} judges"
    return f"{words}; left out: {', '.join(out)}" if out else words
