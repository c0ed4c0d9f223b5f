"""Whether a test's arms got the shares of impressions they should have: the sample-ratio check."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

FAILED = 0.01
BROKEN_SHARE = 1 / 3
MIN_TESTS = 5


class SplitTest(NamedTuple):
    """A test: the week it ran in, and the impressions of each of its arms."""

    week: int
    impressions: tuple[int, ...]


def sample_ratio_p_value(impressions: Sequence[int]) -> float:
    """How likely so uneven a split is when every arm has the same chance, 0-1.

    Pearson's chi-square; its tail by Wilson and Hilferty (1931), good to .001 here. 1 for fewer
    than two arms or no impressions.
    """
    total, arms = sum(impressions), len(impressions)
    if arms < 2 or total <= 0:
        return 1.0
    expected = total / arms
    chi_square = sum((seen - expected) ** 2 for seen in impressions) / expected
    free = arms - 1
    if free == 1:
        return math.erfc(math.sqrt(chi_square / 2))
    spread = 2 / (9 * free)
    z = ((chi_square / free) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(z / math.sqrt(2))


def broken_weeks(tests: Iterable[SplitTest]) -> dict[int, float]:
    """Weeks not to be trusted, each with the share of its tests that fail (p < .01).

    By chance one test in a hundred fails. A week is broken when over a third of its tests do;
    the weeks beside it are left out too, as a fault seldom begins on a Monday. A week of fewer
    than 5 tests goes with the weeks around it.
    """
    failed: dict[int, list[bool]] = defaultdict(list)
    for test in tests:
        failed[test.week].append(sample_ratio_p_value(test.impressions) < FAILED)
    shares = {week: sum(found) / len(found) for week, found in sorted(failed.items())}
    sure = [week for week in shares if len(failed[week]) >= MIN_TESTS]
    broken = {week for week in sure if shares[week] > BROKEN_SHARE}
    beside = {w for a, b in pairwise(sure) if {a, b} & broken for w in shares if a <= w <= b}
    return {week: share for week, share in shares.items() if week in broken | beside}
