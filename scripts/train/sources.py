"""The material of the models: a folder of the user's, or the small samples beside this file."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.domain.scoring.pressure import LABELS
from shared.errors import ConfigError

TRAIN = Path(__file__).resolve().parent
SAMPLES = TRAIN / "samples"
AD_LINES = TRAIN / "ad_lines.tsv"
CATEGORIES = {"Urgency": "urgency", "Scarcity": "scarcity", "Social Proof": "social_proof"}
# A line of an ad is nearer to what is judged than a shop's menu; there are few of them.
AD_LINE_WEIGHT, HEADLINE_WEIGHT = 3.0, 0.3
PLAIN = "Not Dark Pattern"


@dataclass(frozen=True)
class ShopText:
    """A text with the pressures it has; `plain` when its source says that it has none of any.

    `weight` is how much it counts in training.
    """

    text: str
    labels: frozenset[str]
    plain: bool
    weight: float = 1.0


@dataclass(frozen=True)
class Arm:
    """One headline of one A/B test, its pictures added up."""

    test: str
    week: int
    headline: str
    impressions: int
    clicks: int

    @property
    def ctr(self) -> float:
        """Clicks an impression, 0-1."""
        return self.clicks / self.impressions if self.impressions else 0.0


@dataclass(frozen=True)
class Pair:
    """The best and the worst headline of a test that found a clear winner."""

    test: str
    winner: str
    loser: str


def read_shop_texts(file: Path) -> list[ShopText]:
    """Labelled texts of web shops: columns text and `Pattern Category`. Raises ConfigError."""
    rows = [row for row in _rows(file) if row["text"] and row["Pattern Category"]]
    return [_shop_text(row["text"], row["Pattern Category"]) for row in rows]


def read_ad_lines(file: Path = AD_LINES) -> list[ShopText]:
    """Lines of ads, written and labelled by this project: columns labels and text."""
    rows = _rows(file)
    labels = [frozenset(filter(None, row["labels"].split(","))) for row in rows]
    return [
        ShopText(r["text"], has, not has, AD_LINE_WEIGHT)
        for r, has in zip(rows, labels, strict=True)
    ]


def read_arms(file: Path) -> tuple[list[Arm], list[tuple[str, int, tuple[int, ...]]]]:
    """The headlines of an archive of A/B tests, and each test's week and impressions an arm.

    Columns: clickability_test_id, test_week, headline, impressions, clicks. Raises ConfigError.
    """
    import duckdb

    _must_be(file)
    columns = "clickability_test_id, test_week"
    connection = duckdb.connect()
    rows = connection.execute(
        f"select {columns}, headline, sum(impressions), sum(clicks) from read_parquet(?) "  # noqa: S608
        "group by all order by all",
        [str(file)],
    ).fetchall()
    tests = connection.execute(
        f"select {columns}, list(impressions) from read_parquet(?) group by all order by 1, 2",  # noqa: S608
        [str(file)],
    ).fetchall()
    arms = [
        Arm(t, week, headline, int(seen), int(clicks)) for t, week, headline, seen, clicks in rows
    ]
    return arms, [(test, week, tuple(seen)) for test, week, seen in tests]


def read_pairs(file: Path) -> list[Pair]:
    """Pairs of a winning and a losing headline: columns test, winner, loser."""
    return [Pair(row["test"], row["winner"], row["loser"]) for row in _rows(file)]


def read_hook_labels(file: Path) -> list[tuple[str, str]]:
    """Headlines with their labels, one letter a kind, small when the case is open."""
    _must_be(file)
    return [(row["headline"], row["labels"]) for row in json.loads(file.read_text())]


def write_rows(file: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    """A tab-separated table."""
    with file.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, [*columns], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _shop_text(text: str, category: str) -> ShopText:
    has = frozenset([CATEGORIES[category]]) if category in CATEGORIES else frozenset()
    return ShopText(text, has, category == PLAIN)


def _rows(file: Path) -> list[dict[str, str]]:
    _must_be(file)
    with file.open(newline="") as handle:
        return [*csv.DictReader(handle, delimiter="\t")]


def _must_be(file: Path) -> None:
    if not file.is_file():
        raise ConfigError(
            f"{file} is not there; --data names the folder that holds {file.parent.name}"
        )


assert set(CATEGORIES.values()) == set(LABELS)
