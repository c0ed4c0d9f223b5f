"""Which language a text is in, from its script and its commonest words: light, not a model."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from shared.domain.scoring.lexicon import lists_of
from shared.domain.scoring.texts import Text

# The commonest words of each language that are no word of the others, as far as there are such.
WORDS = lists_of("stop_words")
SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "BENGALI": "bn",
    "TAMIL": "ta",
}
FOREIGN_SHARE = 0.5
LONG_LETTERS = 4
CLEAR_LEAD = 2
# Letters that English does without, names apart.
NEVER_ENGLISH = frozenset("ßãõłśżęąğış¿¡æø")


@dataclass(frozen=True)
class Language:
    """A language code, `und` when there are no letters, and what says so.

    `assumed`: nothing speaks against English, but no common word speaks for it either.
    """

    code: str
    evidence: Literal["script", "common words", "assumed", "nothing"]

    @property
    def english(self) -> bool:
        """Whether the English classifiers may judge it."""
        return self.code == "en"


def detect_language(text: Text) -> Language:
    """The language of a text: by script where it is not Latin, else by its commonest words.

    Codes of scripts with several languages name the most used one (Cyrillic: ru, Arabic: ar).
    """
    if not text.letters:
        return Language("und", "nothing")
    foreign = _script(text.clean)
    if foreign:
        return Language(foreign, "script")
    said = set(text.words)
    hits = Counter({code: sum(map(_weight, words & said)) for code, words in ALL})
    code, most = max(hits.items(), key=lambda item: item[1])
    marks = sum(char in NEVER_ENGLISH for char in text.clean.lower())
    if code != "en" and most + marks >= hits["en"] + CLEAR_LEAD:
        return Language(code, "common words")
    if hits["en"] == 0 and marks:
        return Language("und", "common words")
    return Language("en", "common words" if hits["en"] else "assumed")


def _weight(word: str) -> int:
    """A long word is no name or abbreviation: it counts twice."""
    return 2 if len(word) >= LONG_LETTERS else 1


ALL = tuple(WORDS.items())


def _script(clean: str) -> str:
    """The language of the most used script but Latin; empty when most letters are Latin."""
    names = Counter(_script_of(char) for char in clean if char.isalpha())
    latin = names.pop("", 0)
    total = latin + sum(names.values())
    # One kana makes a text Japanese, however many of its signs it shares with Chinese.
    if names.get("ja", 0) and total - latin > latin:
        return "ja"
    return max(names, key=lambda n: names[n]) if total - latin > FOREIGN_SHARE * total else ""


def _script_of(char: str) -> str:
    """The language that a letter's script stands for, empty for Latin, `und` for a rare script."""
    if char.isascii():
        return ""
    script = unicodedata.name(char, "UNKNOWN").split()[0].split("-")[0]
    return (
        ""
        if script in ("LATIN", "MODIFIER", "FEMININE", "MASCULINE")
        else (SCRIPTS.get(script, "und"))
    )
