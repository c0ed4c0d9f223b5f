"""The prediction before there are results to learn from: the documented rules and the headline."""

from typing import NamedTuple

from shared.domain.scoring.feature import Case
from shared.domain.scoring.features_pictures import cut_rate
from shared.domain.scoring.features_words import has_call_to_action
from shared.domain.scoring.headlines import score_headline
from shared.domain.scoring.pressure import judge_pressure
from shared.domain.scoring.weights import ModelUnavailable
from shared.score_models import Mover, Prediction, Signals

VERSION = "cold-start-1"
# The document's rules for a variation's score, 1-data-flow section 2.
BASE = 0.5
POINTS = {
    "urgent_words": 0.1,
    "clear_call_to_action": 0.1,
    "lasts_15_seconds": 0.05,
    "fast_pacing": 0.05,
    "lasts_60_seconds": -0.05,
}
SHORT_SECONDS, LONG_SECONDS, SPAN_SECONDS = 15.0, 60.0, 2.5
FAST_CUTS_A_SECOND = 0.5
# What readers of news liked moves a prediction for an ad by a fifth at most.
MOST_LIFT = 1.2
# Without an account's or an industry's CTR the value is only good for ranking.
ASSUMED_CTR = 0.01
# Our judgement, not measured: the CTRs of ads of one account lie within a factor of three.
RATIO = 3.0
LOW_BAR, HIGH_BAR = 0.9, 1.1
FULL_CONFIDENCE = 0.3


class Rule(NamedTuple):
    """Whether a rule holds, None when that cannot be known, and the value it looked at."""

    holds: bool | None
    value: float | None = None


def predict_cold(signals: Signals) -> Prediction:
    """The usual CTR moved by the rules and the headline; `rank_score` is the document's score.

    The effects of the movers sum to the value less the usual CTR. Nothing of it is measured:
    `coverage` is None, confidence is at most 0.3, and a model of the user's own results replaces
    it.
    """
    case = Case(signals)
    usual = signals.ad.expected_ctr or ASSUMED_CTR
    rules = _rules(case)
    points = {name: POINTS[name] for name, rule in rules.items() if rule.holds}
    score = BASE + sum(points.values())
    lift = _lift(case)
    value = min(1.0, usual * (score / BASE) * (lift or 1.0))
    movers = [_rule_mover(name, rules[name], usual, part) for name, part in points.items()]
    if lift is not None:
        effect = value - usual * (score / BASE)
        movers.append(Mover(feature="headline_lift", value=round(lift, 4), effect=effect))
    lacked = [name for name, rule in rules.items() if rule.holds is None]
    lacked += ["headline"] if lift is None else []
    lacked += [] if signals.ad.expected_ctr else ["expected_ctr"]
    known = 1 - len(lacked) / (len(rules) + 2)
    return Prediction(
        target="ctr",
        value=value,
        low=value / RATIO,
        high=min(1.0, value * RATIO),
        coverage=None,
        band="low"
        if value < LOW_BAR * usual
        else "high"
        if value >= HIGH_BAR * usual
        else "medium",
        confidence=round(FULL_CONFIDENCE * known, 4),
        rank_score=round(score, 4),
        movers=tuple(sorted(movers, key=lambda mover: -abs(mover.effect))),
        model_version=VERSION,
        lacked=tuple(lacked),
    )


def _rule_mover(name: str, rule: Rule, usual: float, points: float) -> Mover:
    return Mover(feature=name, value=rule.value, effect=usual * points / BASE)


def _rules(case: Case) -> dict[str, Rule]:
    seconds = case.seconds
    return {
        "urgent_words": _urgency(case),
        "clear_call_to_action": _commanded(case),
        "lasts_15_seconds": _lasts(seconds, SHORT_SECONDS),
        "fast_pacing": _fast(case),
        "lasts_60_seconds": _lasts(seconds, LONG_SECONDS),
    }


def _urgency(case: Case) -> Rule:
    """Whether the opening presses by time or by rest."""
    if not case.wording.known:
        return Rule(None)
    try:
        judged = [judge_pressure(text) for text in case.wording.opening]
    except ModelUnavailable:
        return Rule(None)
    kinds = [judgement for row in judged for judgement in (row["urgency"], row["scarcity"])]
    known = [j.probability for j in kinds if j is not None]
    if kinds and not known:
        return Rule(None)
    most = max(known, default=0.0)
    return Rule(most >= 0.5, most)


def _commanded(case: Case) -> Rule:
    found = has_call_to_action(case)
    return Rule(None if found is None else bool(found), found)


def _lasts(seconds: float | None, wanted: float) -> Rule:
    if seconds is None:
        return Rule(None)
    return Rule(abs(seconds - wanted) <= SPAN_SECONDS, seconds)


def _fast(case: Case) -> Rule:
    if case.signals.ad.pacing:
        return Rule(case.signals.ad.pacing == "fast")
    rate = cut_rate(case)
    return Rule(None) if rate is None else Rule(rate >= FAST_CUTS_A_SECOND, rate)


def _lift(case: Case) -> float | None:
    """The best opening text's lift over other headlines, a fifth up or down at most."""
    try:
        scores = [score_headline(text) for text in case.wording.opening]
    except ModelUnavailable:
        return None
    lifts = [score.lift for score in scores if score is not None]
    return min(MOST_LIFT, max(1 / MOST_LIFT, *lifts)) if lifts else None
