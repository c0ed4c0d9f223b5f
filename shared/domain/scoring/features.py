"""The table of all features: what a model sees of a creative, and what the page says of it."""

from collections.abc import Mapping

from shared.domain.scoring import (
    features_context,
    features_people,
    features_pictures,
    features_words,
)
from shared.domain.scoring.feature import Case, Feature

TABLE: tuple[Feature, ...] = (
    *features_words.FEATURES,
    *features_pictures.FEATURES,
    *features_people.FEATURES,
    *features_context.FEATURES,
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in TABLE)
DIGITS = 6


def measure_features(case: Case) -> dict[str, float | None]:
    """Every feature by name in the order of the table; None: its source is missing."""
    values = {feature.name: feature.measure(case) for feature in TABLE}
    return {name: None if v is None else round(float(v), DIGITS) for name, v in values.items()}


def as_row(features: Mapping[str, float | None]) -> list[float]:
    """The values in the order of the table, NaN for what is unknown: what a model is given."""
    found = [features.get(name) for name in NAMES]
    return [float("nan") if value is None else value for value in found]


def features_page() -> str:
    """The table as Markdown, one section a group."""
    lines = [PAGE_HEAD.format(count=len(TABLE))]
    for group in dict.fromkeys(feature.group for feature in TABLE):
        rows = [feature for feature in TABLE if feature.group == group]
        lines += [f"## {group.capitalize()} ({len(rows)})", "", HEADER]
        lines += [
            f"| `{f.name}` | {f.formula} | {f.source} | {f.unit} | {f.missing} |" for f in rows
        ]
        lines.append("")
    return "\n".join(lines)


HEADER = (
    "| feature | formula | source | unit, range | when missing |\n| --- | --- | --- | --- | --- |"
)
PAGE_HEAD = """# The features

The {count} features that scoring computes of a creative, written by `scripts/gv models features`
from the table in `shared/domain/scoring/features.py`. *analysis* is the report that
[report.md](report.md) explains; the other sources are records of `shared/score_models.py`. An
unknown value is `null` in records and NaN for models, never 0.
"""
