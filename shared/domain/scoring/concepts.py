"""What the words of selling stand for: a deadline, a rest, a crowd, praise; alone and together."""

from collections import Counter
from itertools import combinations

from shared.domain.scoring.lexicon import lists_of
from shared.domain.scoring.texts import Text

# The concepts of each word; a word may stand for several.
OF_WORD = {
    word: sorted(name for name, words in lists_of("concepts").items() if word in words)
    for word in frozenset().union(*lists_of("concepts").values())
}
# Two concepts make a claim only when they stand near each other.
WINDOW_WORDS = 8


def count_concepts(text: Text) -> Counter[str]:
    """Which concepts are in a text, and which pairs of them within 8 words.

    Numbers stand for N, clock times for CLOCK.
    """
    found = [(place, concept) for place, word in enumerate(text.words) for concept in _of(word)]
    counts = Counter({f"k {concept}": 1 for _, concept in found})
    for (place, one), (other_place, other) in combinations(found, 2):
        if 0 < other_place - place <= WINDOW_WORDS and one != other:
            counts[f"k {min(one, other)}+{max(one, other)}"] = 1
    return counts


def _of(word: str) -> list[str]:
    if word[0].isdigit():
        return ["CLOCK"] if ":" in word else ["N"]
    return OF_WORD.get(word, [])
