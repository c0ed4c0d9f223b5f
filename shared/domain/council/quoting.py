"""Text from videos as data: cleaned, cut, and quoted so that it cannot leave its quotes."""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Unicode categories that nobody sees: controls, zero-width and bidirectional marks, private."""

# Words that speak to whoever judges; a hit is told in the verdict and changes no score.
ADDRESSES_A_JUDGE = re.compile(
    r"ignore (all |any |the |your )*(previous|prior|above|earlier|instructions)|system prompt"
    r"|disregard (all |any |the |your )*(previous|prior|above|instructions)"
    r"|</?\s*(system|assistant|user|transcript|instructions?|data)\b|\b(assistant|system)\s*:"
    r"|you are (now )?(a|an|the) (ai|assistant|judge|model|language)|!\[[^\]]*\]\("
    r"|[\"'](score|action|verdict|overall|budget)[\"']\s*:|\bscore this\b.*\b\d{2,3}\b",
    re.IGNORECASE,
)
LINK = re.compile(
    r"!?\[([^\]]*)\]\([^)]*\)|\b(?:https?|ftp|file|data|javascript):\S+", re.IGNORECASE
)


def plain(text: str, longest: int) -> str:
    """What a person sees of a text, on one line, at most `longest` characters."""
    # Cut first: a text of any size costs the same.
    seen = "".join(
        " " if character.isspace() else character
        for character in text[: 4 * longest]
        if character.isspace() or unicodedata.category(character) not in HIDDEN
    )
    return " ".join(seen.split())[:longest].rstrip()


def without_links(text: str) -> str:
    """A text in which nothing can be fetched or clicked."""
    return LINK.sub(lambda link: link.group(1) or "[link]", text)


def quoted(data: Any, nonce: str) -> str:
    """JSON between two lines that nobody could know beforehand.

    Angle brackets are escaped, so no text of `data` can form a tag of any kind.
    """
    body = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
    body = body.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<data-{nonce}>\n{body}\n</data-{nonce}>"


def addresses_a_judge(texts: Iterable[str]) -> bool:
    """Whether a text of the video talks to whoever judges it.

    Compared as seen and backwards, because a mark can make a line read from right to left.
    """
    for text in texts:
        seen = unicodedata.normalize("NFKC", plain(text, 2_000))
        if ADDRESSES_A_JUDGE.search(seen) or ADDRESSES_A_JUDGE.search(seen[::-1]):
            return True
    return False
