"""Hashed n-grams of words and characters: a text as sparse counts, without a vocabulary to keep."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from math import log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from shared.domain.scoring.texts import Text

CHARACTER_SIZES = (3, 4, 5)


@lru_cache(maxsize=256)
def count_ngrams(text: Text) -> Mapping[str, int]:
    """How often each n-gram is there: words alone and in pairs, 3 to 5 characters within words.

    Numbers count as "0" and clock times as "0:0": what learns "only 2 left" knows "only 7 left".
    """
    words = [_masked(word) for word in text.words]
    counts = Counter(f"w {word}" for word in words)
    counts.update(f"w {a} {b}" for a, b in pairwise(words))
    for word in words:
        padded = f" {word} "
        for size in CHARACTER_SIZES:
            ends = range(size, max(size, len(padded)) + 1)
            counts.update([f"c {padded[end - size : end]}" for end in ends])
    return counts


def _masked(word: str) -> str:
    if not word[0].isdigit():
        return word
    return "0:0" if ":" in word else "0"


def hash_counts(
    counts: Mapping[str, int], buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Buckets and values: 1 + log of the count, the vector scaled to length 1."""
    found: dict[int, float] = {}
    for gram, count in counts.items():
        bucket = crc32(gram.encode()) % buckets
        found[bucket] = found.get(bucket, 0.0) + 1.0 + log(count)
    places = np.fromiter(found.keys(), np.int64, len(found))
    values = np.fromiter(found.values(), np.float64, len(found))
    length = float(np.sqrt((values**2).sum()))
    return places, values / length if length else values
