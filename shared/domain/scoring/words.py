"""All words of a creative: shown, spoken and in the headline; which of them open it."""

from dataclasses import dataclass
from functools import lru_cache

from shared.domain.scoring.language import Language, detect_language
from shared.domain.scoring.texts import read_text
from shared.inference_models import Word
from shared.score_models import Signals

OPENING_SECONDS = 3.0
PAUSE_SECONDS = 0.6
LONGEST_SENTENCE_WORDS = 25


@dataclass(frozen=True)
class Wording:
    """The texts of a creative; `known` says whether any source of words was there at all."""

    shown: tuple[str, ...]
    spoken: tuple[str, ...]
    headline: str
    opening: tuple[str, ...]
    known: bool
    language: Language

    @property
    def all(self) -> tuple[str, ...]:
        """Every text once, in the order shown, spoken, headline."""
        texts = (*self.shown, *self.spoken, *((self.headline,) if self.headline else ()))
        return tuple(dict.fromkeys(texts))


@lru_cache(maxsize=256)
def _language(texts: tuple[str, ...]) -> Language:
    return detect_language(read_text("\n".join(texts)))


def read_wording(signals: Signals) -> Wording:
    """The words of a creative; without words in the opening its headline stands for them."""
    lines = signals.text or ()
    shown = tuple(line.text for line in lines if line.text.strip())
    sentences = sentences_spoken(signals.words or ())
    headline = signals.ad.headline.strip()
    opening = [line.text for line in lines if line.start_seconds < OPENING_SECONDS and line.text]
    opening += [text for at, text in sentences if at < OPENING_SECONDS]
    spoken = tuple(text for _, text in sentences)
    known = signals.text is not None or signals.words is not None or bool(headline)
    return Wording(
        shown,
        spoken,
        headline,
        tuple(opening) or ((headline,) if headline else ()),
        known,
        _language((*shown, *spoken, headline)),
    )


def sentences_spoken(words: tuple[Word, ...]) -> list[tuple[float, str]]:
    """When each spoken sentence begins, and its words: a stop, a pause or 25 words end it."""
    sentences: list[tuple[float, list[str]]] = []
    last: Word | None = None
    for word in words:
        pause = last is not None and word.start_seconds - last.end_seconds > PAUSE_SECONDS
        stop = last is not None and last.word.rstrip().endswith((".", "!", "?"))
        if not sentences or pause or stop or len(sentences[-1][1]) >= LONGEST_SENTENCE_WORDS:
            sentences.append((word.start_seconds, []))
        sentences[-1][1].append(word.word.strip())
        last = word
    return [(at, " ".join(parts)) for at, parts in sentences]
