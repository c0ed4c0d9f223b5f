"""Text of any language as the words that are searched for."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator

MAX_WORDS = 2_000
MAX_WORD_CHARACTERS = 64
_ASCII = re.compile(r"[a-z0-9]+")
_DIACRITICS = re.compile("[\u0300-\u036f]")
# Scripts that are written without gaps (and Korean, whose particles stick to words).
_UNBROKEN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def words_in(text: str) -> list[str]:
    """The words of a text in order, to be stored: folded case, no accents, at most 2,000.

    Scripts without gaps between words give each sign and each pair of neighbours. There is no
    stemming: what only means the same is found by meaning.
    """
    return [*_limited(_words(text, whole=False))]


def words_asked(text: str) -> list[str]:
    """The words of a question, each once; of a run without gaps the pairs alone, if it has any."""
    return [*dict.fromkeys(_limited(_words(text, whole=True)))]


def word_key(word: str) -> str:
    """A word as a field name that every store takes."""
    return "w" + hashlib.blake2b(word.encode(), digest_size=8).hexdigest()


def _limited(words: Iterable[str]) -> Iterator[str]:
    for _, word in zip(range(MAX_WORDS), words, strict=False):
        yield word[:MAX_WORD_CHARACTERS]


def _words(text: str, *, whole: bool) -> Iterator[str]:
    if text.isascii():
        yield from _ASCII.findall(text.lower())
        return
    for run in _runs(folded(text)):
        at = 0
        for unbroken in _UNBROKEN.finditer(run):
            if unbroken.start() > at:
                yield run[at : unbroken.start()]
            yield from _pairs(unbroken.group(), whole=whole)
            at = unbroken.end()
        if at < len(run):
            yield run[at:]


def folded(text: str) -> str:
    """One form for all ways to write the same: width, case and accents do not count."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _DIACRITICS.sub("", plain))


def _runs(text: str) -> Iterator[str]:
    """Stretches of letters, numbers and marks: a vowel sign of Hindi belongs to its word."""
    run: list[str] = []
    for sign in text:
        if unicodedata.category(sign)[0] in "LNM":
            run.append(sign)
        elif run:
            yield "".join(run)
            run = []
    if run:
        yield "".join(run)


def _pairs(run: str, *, whole: bool) -> Iterator[str]:
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    if not whole or not pairs:
        yield from run
    yield from pairs
