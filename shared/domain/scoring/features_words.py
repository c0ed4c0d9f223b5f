"""The features of the words: psychology, hook, and text on screen and spoken."""

import re
from collections.abc import Callable
from functools import partial

from shared.domain.scoring.feature import Case, Feature
from shared.domain.scoring.headlines import score_headline
from shared.domain.scoring.hook_types import KINDS, find_hooks
from shared.domain.scoring.psychology import PSYCHOLOGY, WEIGHTS
from shared.domain.scoring.texts import read_text
from shared.domain.scoring.weights import ModelUnavailable

WORDS = "text on screen, transcript, headline"
OPENING = "the words of the first 3 s, else the headline"
SHOWN = "text on screen"
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
SHOUTED = re.compile(r"\b[^\W\d_a-z]{3,}\b")


def _psychology(name: str, case: Case) -> float | None:
    return case.psychology[name].value


def _parts(name: str) -> str:
    return " + ".join(f"{weight:g} {part}" for part, weight in WEIGHTS[name].items())


def _hook_is(kind: str, case: Case) -> float | None:
    return None if case.hook.kind == UNREAD else float(case.hook.kind == kind)


UNREAD = "unknown"


def _secondary_hooks(case: Case) -> float | None:
    return None if case.hook.kind == UNREAD else float(len(case.hook.others))


def _visual_hook(case: Case) -> float | None:
    return case.signals.analysis.hook.hook_score if case.signals.analysis else None


def _of_texts(count: Callable[[str], float], case: Case) -> float | None:
    """A sum over every text, None when no source of words was there."""
    return sum(count(text) for text in case.wording.all) if case.wording.known else None


def _words_in(text: str) -> float:
    return float(sum(word[0].isalnum() for word in read_text(text).words))


def _share_of_words(count: Callable[[str], float], case: Case) -> float | None:
    words = _of_texts(_words_in, case)
    counted = _of_texts(count, case)
    return None if words is None or counted is None else counted / max(1.0, words)


def _lines(case: Case) -> float | None:
    return None if case.signals.text is None else float(len(case.signals.text))


def _coverage(case: Case) -> float | None:
    if case.signals.text is None:
        return None
    known = [line.coverage for line in case.signals.text if line.coverage is not None]
    if case.signals.text and not known:
        return None
    return max(known, default=0.0)


def _first_shown(case: Case) -> float | None:
    return min((line.start_seconds for line in case.signals.text or ()), default=None)


def shown_share(case: Case) -> float | None:
    """The share of the time with text on screen, 0-1."""
    if case.signals.text is None or not case.seconds:
        return None
    covered = until = 0.0
    for line in sorted(case.signals.text, key=lambda line: line.start_seconds):
        start = max(until, line.start_seconds)
        covered += max(0.0, line.end_seconds - start)
        until = max(until, line.end_seconds)
    return min(1.0, covered / case.seconds)


def _pace(case: Case) -> float | None:
    if case.signals.words is None or not case.seconds:
        return None
    return len(case.signals.words) / case.seconds


def _headline_place(case: Case) -> float | None:
    try:
        scores = [score_headline(text) for text in case.wording.opening]
    except ModelUnavailable:
        return None
    return max((score.percentile for score in scores if score), default=None)


def has_call_to_action(case: Case) -> float | None:
    """1 with a call to action given, or a command in the last text, in English."""
    if case.signals.ad.call_to_action:
        return 1.0
    if not case.wording.known or not case.wording.language.english:
        return None
    last = [*case.wording.shown[-1:], *case.wording.spoken[-1:]]
    return float(any(match.name == "command" for text in last for match in find_hooks(text)))


FEATURES = (
    *(
        Feature(
            f"{name}_score", "psychology", _parts(name), WORDS, "0-1", partial(_psychology, name)
        )
        for name in PSYCHOLOGY
    ),
    *(
        Feature(
            f"hook_is_{kind.name}",
            "hook",
            f"1 when the strongest hook is {kind.name}",
            OPENING,
            "0 or 1",
            partial(_hook_is, kind.name),
        )
        for kind in KINDS
    ),
    Feature(
        "hook_strength",
        "hook",
        "1 for a sign that opens a short text, a third for one that ends it",
        OPENING,
        "0-1",
        lambda case: case.hook.strength,
    ),
    Feature(
        "hook_confidence",
        "hook",
        "precision of the rule, counted on labelled or read texts",
        OPENING,
        "0-1",
        lambda case: case.hook.confidence,
        "unknown too without a hook",
    ),
    Feature("hook_others", "hook", "how many other kinds", OPENING, "count", _secondary_hooks),
    Feature("hook_of_pictures", "hook", "hook.hook_score", "analysis", "0-1", _visual_hook),
    Feature("text_lines", "text", "lines shown", SHOWN, "count", _lines),
    Feature("text_coverage", "text", "largest share of the picture", SHOWN, "0-1", _coverage),
    Feature("text_first_at", "text", "start of the first line", SHOWN, "seconds", _first_shown),
    Feature("text_time_share", "text", "time with text / length", SHOWN, "0-1", shown_share),
    Feature("word_count", "text", "words, numbers", WORDS, "count", partial(_of_texts, _words_in)),
    Feature("spoken_pace", "text", "words / length", "transcript", "words a second", _pace),
    Feature(
        "headline_place",
        "text",
        "share of archive headlines that score less (model headlines)",
        OPENING,
        "0-1",
        _headline_place,
        "unknown too in other languages than English",
    ),
    Feature(
        "exclamations",
        "text",
        "exclamation marks / words",
        WORDS,
        "share",
        partial(_share_of_words, lambda text: float(text.count("!"))),
    ),
    Feature(
        "questions",
        "text",
        "question marks / words",
        WORDS,
        "share",
        partial(_share_of_words, lambda text: float(text.count("?"))),
    ),
    Feature(
        "shouted_words",
        "text",
        "words of 3 or more capitals / words",
        WORDS,
        "share",
        partial(_share_of_words, lambda text: float(len(SHOUTED.findall(text)))),
    ),
    Feature(
        "emojis",
        "text",
        "pictographs",
        WORDS,
        "count",
        partial(_of_texts, lambda text: float(len(EMOJI.findall(text)))),
    ),
    Feature(
        "has_call_to_action",
        "text",
        "1 when given, or the last text commands",
        "ad facts, else words",
        "0 or 1",
        has_call_to_action,
    ),
)
