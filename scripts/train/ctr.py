"""Measuring the trained CTR prediction on the archive: old headlines teach, the newest measure."""

from collections.abc import Iterator, Sequence

import numpy as np

from scripts.train.figures import Figure
from scripts.train.fitting import Floats
from scripts.train.sources import Arm
from shared.domain.scoring.feature import Case
from shared.domain.scoring.features import TABLE, measure_features
from shared.domain.scoring.trained import TrainedModel
from shared.domain.scoring.tree_training import Results, TreeSettings, train_trees
from shared.score_models import AdFacts, Signals

# The headline model has learned from the same archive: its feature would know the answers.
LEARNED = frozenset({"headline_place", "curiosity_score"})
LEAST_IMPRESSIONS = 1000
WEEKS_BEFORE = 4
# A headline says little: shallow trees and large leaves, or they learn the noise.
SETTINGS = TreeSettings(depth=4, trees=150, min_child_weight=20.0)


def archive_results(arms: Sequence[Arm]) -> Results:
    """The features of each headline with its CTR, oldest week first; unknown features left out."""
    shown = [arm for arm in arms if arm.impressions >= LEAST_IMPRESSIONS]
    ordered = sorted(shown, key=lambda arm: (arm.week, arm.test))
    features = [
        measure_features(Case(Signals(ad=AdFacts(headline=arm.headline)))) for arm in ordered
    ]
    names = tuple(
        f.name
        for f in TABLE
        if f.name not in LEARNED and any(row[f.name] is not None for row in features)
    )
    rows = [
        [np.nan if (value := row[name]) is None else value for name in names] for row in features
    ]
    return Results(
        names,
        np.array(rows, np.float64),
        np.array([arm.ctr for arm in ordered]),
        np.array([float(arm.impressions) for arm in ordered]),
        usual_before(ordered),
        [arm.test for arm in ordered],
    )


def usual_before(ordered: Sequence[Arm]) -> Floats:
    """For each arm the CTR of all arms of the 4 weeks with tests before its own."""
    weeks = sorted({arm.week for arm in ordered})
    seen, clicks = (
        {w: sum(getattr(a, name) for a in ordered if a.week == w) for w in weeks}
        for name in ("impressions", "clicks")
    )
    usual = {}
    for place, week in enumerate(weeks):
        # The first week has nothing before it: it stands for itself.
        before = weeks[max(0, place - WEEKS_BEFORE) : place] or [week]
        usual[week] = sum(clicks[w] for w in before) / sum(seen[w] for w in before)
    return np.array([usual[arm.week] for arm in ordered])


def train_on_archive(arms: Sequence[Arm], version: str = "archive-ctr") -> TrainedModel:
    """A model of the archive's CTR by headlines alone."""
    return train_trees(archive_results(arms), version, "ctr", SETTINGS)


def ctr_figures(model: TrainedModel) -> Iterator[Figure]:
    """How well the newest fifth was told, beside always saying the usual CTR."""
    facts = model.facts
    on = f"the newest {facts.figures['rows']:.0f} headlines, by time"
    yield Figure("CTR R2", facts.figures["r2"], None, facts.figures["r2_of_usual"], False, on)
    error, usual = facts.figures["mean_error"], facts.figures["mean_error_of_usual"]
    yield Figure("CTR mean error", error, None, usual, True, on)
    yield Figure(
        "CTR interval coverage", facts.coverage or 0.0, None, facts.wanted_coverage, False, on
    )
