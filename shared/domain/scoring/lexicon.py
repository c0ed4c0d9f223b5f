"""The word lists of the rules, read from lexicon.json once a process."""

import json
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "lexicon.json"


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, dict[str, str] | str]:
    content: dict[str, dict[str, str] | str] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def words_of(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(str(_lexicon()[name]).split())


def lists_of(name: str) -> dict[str, frozenset[str]]:
    """Several lists by name: stop words by language, selling words by concept."""
    lists = _lexicon()[name]
    assert isinstance(lists, dict)
    return {key: frozenset(words.split()) for key, words in lists.items()}
