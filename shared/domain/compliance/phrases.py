"""Phrases that are looked for in texts: a small language that people can edit, and its matching.

Words apart by a space. `cure|cures` is either, `diabet*` every word that begins so, `#` a number,
`$#` a sum of money, `..3` at most three words of any kind, `@disease` a list of the same file.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.errors import Rejected

# A reader of text on screen loses gaps; so short a phrase without them would be found anywhere.
MIN_JOINED_LETTERS = 10
MAX_TEXT = 20_000
NUMBER = r"\d[\d.,]*"
SIGN = r"(?:[$€£¥]|r\$|usd|eur|gbp|brl|euros?|dollars?|dolares|dollar|pounds?|libras|reais|reales)"
MONEY = rf"(?:{SIGN} ?{NUMBER}k?|{NUMBER}k? ?{SIGN})"
# French elides: `l'arthrose` is two words, while `you're` is one.
_ELIDED = re.compile(r"\b(qu|[cdjlmnst])[’'`´](?=\w)")
_SPOILT = re.compile(r"[’'`´]")
_APART = re.compile(r"[^\w$€£¥%#.,]+|(?<!\d)[.,]+|[.,]+(?!\d)")


class PhraseInvalid(Rejected):
    """A phrase of the data that cannot be understood."""


@dataclass(frozen=True)
class Hit:
    """Where a phrase stands in a plain text."""

    start: int
    end: int

    def meets(self, other: "Hit") -> bool:
        """Whether the two have a letter in common."""
        return self.start < other.end and other.start < self.end


def plain(text: str) -> str:
    """Lower case without accents and punctuation, single spaces: what phrases are matched on."""
    bare = unicodedata.normalize("NFKD", text[:MAX_TEXT]).lower()
    bare = "".join(
        c for c in bare if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    )
    bare = (
        _SPOILT.sub("", _ELIDED.sub(r"\1 ", bare))
        .replace("#", " # ")
        .replace("%", " % ")
        .replace("ß", "ss")
    )
    return " ".join(_APART.sub(" ", bare).replace("_", " ").split())


class Phrase:
    """One phrase, ready to be looked for."""

    def __init__(self, written: str, lists: Mapping[str, str]) -> None:
        """Raises PhraseInvalid for a list that is not there, or an empty phrase."""
        self.written = written
        tokens = written.split()
        while tokens and tokens[-1].startswith(".."):
            tokens.pop()
        if not tokens:
            raise PhraseInvalid("an empty phrase would be found everywhere; remove it")
        self._spaced = re.compile(rf"(?<!\w){_pattern(tokens, lists, ' ')}(?!\w)")
        letters = sum(
            len(token.split("|")[0].strip("*")) for token in tokens if token[0] not in ".#$"
        )
        joined = len(tokens) > 1 and letters >= MIN_JOINED_LETTERS
        self._joined = re.compile(_pattern(tokens, lists, " ?")) if joined else None

    def find(self, text: str, *, from_screen: bool = False) -> list[Hit]:
        """Every place in `text`, which is `plain`; read from a screen, gaps may be missing."""
        found = [Hit(one.start(), one.end()) for one in self._spaced.finditer(text)]
        if not found and from_screen and self._joined is not None:
            found = [Hit(one.start(), one.end()) for one in self._joined.finditer(text)]
        return found


def _pattern(tokens: list[str], lists: Mapping[str, str], gap: str) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.startswith(".."):
            # Each word of the hole brings its own space.
            parts.append(rf"(?:\S{{1,40}}{gap}){{0,{int(token[2:])}}}")
            continue
        parts.append(_one(token, lists) + gap)
    whole = "".join(parts)
    return whole.removesuffix(gap)


def _one(token: str, lists: Mapping[str, str]) -> str:
    choices = []
    for choice in token.split("|"):
        if choice.startswith("@"):
            if choice[1:] not in lists:
                raise PhraseInvalid(f"{token!r}: there is no list {choice!r} in this language")
            choices.append(_one(lists[choice[1:]], {}))
        elif choice == "#":
            choices.append(NUMBER)
        elif choice == "$#":
            choices.append(MONEY)
        elif choice == "hash":
            choices.append("#")
        else:
            word = plain(choice.rstrip("*"))
            choices.append(re.escape(word) + (r"\w*" if choice.endswith("*") else ""))
    return f"(?:{'|'.join(choices)})"


@lru_cache(maxsize=4096)
def compiled(written: str, lists: tuple[tuple[str, str], ...]) -> Phrase:
    """A phrase with the lists of its language, made once."""
    return Phrase(written, dict(lists))
