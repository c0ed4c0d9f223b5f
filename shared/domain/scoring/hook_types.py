"""What kind of hook a text is: rules over words, each with a precision that was counted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from shared.domain.scoring import hook_patterns as patterns
from shared.domain.scoring.hook_patterns import CONDITION
from shared.domain.scoring.language import detect_language
from shared.domain.scoring.lexicon import words_of
from shared.domain.scoring.texts import Text, read_text

IMPERATIVES = words_of("imperatives")
# Words that are a noun as often: a command only when an object follows.
NEEDS_OBJECT = words_of("imperatives_with_object")
OBJECT = words_of("objects")
LEADING = words_of("leading")
AUXILIARIES = words_of("auxiliaries")
NO_COMMANDS = (["wait", "till"], ["wait", "until"], ["never", "mind"])
# A hook is taken in at the start; rules that look ahead stay fast on texts made to slow them.
MAX_CHARACTERS = 600
LABELLED = "60 headlines with labels of another reader"
READ = "headlines of the Upworthy archive and ad hooks, read by us"
SENTENCES = re.compile(r"[^.!?:\n]*(?:[.!?:\n]+|$)")


@dataclass(frozen=True)
class Kind:
    """A kind of hook: how it is found, and how many of those found and looked at were right.

    `find` gives where in the text, 0 its start and 1 its end, the sign stands; None without one.
    """

    name: str
    find: Callable[[str], float | None]
    right: int
    looked_at: int
    counted_on: str
    any_language: bool = False

    @property
    def precision(self) -> float:
        """The share of right ones, 0-1, by Laplace's rule: few looked at is near one half."""
        return round((self.right + 1) / (self.looked_at + 2), 4)


@dataclass(frozen=True)
class HookMatch:
    """A kind of hook found in a text; strength 1 = it opens the text and the text is short."""

    name: str
    strength: float
    confidence: float


@lru_cache(maxsize=4096)
def find_hooks(raw: str) -> tuple[HookMatch, ...]:
    """Every kind of hook in a text, the strongest first; of no text none.

    The first 600 characters are searched. In a language other than English only what needs no
    words is looked for: question and number.
    """
    text = read_text(raw)
    english = detect_language(text).english
    spoken = unquoted(text.clean[:MAX_CHARACTERS])
    found = []
    for kind in KINDS:
        at = kind.find(spoken) if english or kind.any_language else None
        if at is not None:
            found.append(HookMatch(kind.name, strength_of(at, text), kind.precision))
    return tuple(sorted(found, key=_rank))


def strength_of(at: float, text: Text) -> float:
    """Full for a sign that opens a text of up to 12 words, down to a third for one that ends it.

    From 12 to 60 words the strength halves: a hook has to be taken in within three seconds.
    """
    words = len(text.words)
    brevity = 1.0 - 0.5 * min(1.0, max(0.0, (words - 12) / 48))
    return round((1.0 - 2 / 3 * min(1.0, max(0.0, at))) * brevity, 4)


def unquoted(clean: str) -> str:
    """The text without what it quotes; a text that is one quotation stays."""
    rest = patterns.QUOTED.sub(" _ ", clean)
    return rest if re.search(r"\w{2}", rest.replace("_", "")) else clean


def clauses_of(text: str) -> list[tuple[int, str]]:
    """Where each sentence starts, and the sentence with its stop."""
    parts = ((m.start(), m.group()) for m in SENTENCES.finditer(text))
    return [(start + len(p) - len(p.lstrip()), p.strip()) for start, p in parts if p.strip()]


def _rank(match: HookMatch) -> tuple[float, int]:
    return (-match.strength * match.confidence, ORDER[match.name])


def _first(pattern: re.Pattern[str]) -> Callable[[str], float | None]:
    """Finds where a pattern stands first."""

    def find(text: str) -> float | None:
        match = pattern.search(text)
        return match.start() / max(1, len(text)) if match else None

    return find


def _earliest(*patterns: re.Pattern[str]) -> Callable[[str], float | None]:
    """Finds where any of several patterns stands first."""

    def find(text: str) -> float | None:
        places = [at for at in (_first(pattern)(text) for pattern in patterns) if at is not None]
        return min(places, default=None)

    return find


def find_question(text: str) -> float | None:
    """A sentence that ends with a question mark, or begins as only a question does."""
    for start, clause in clauses_of(text):
        if clause.rstrip("!.\n").endswith(("?", "؟")) or patterns.QUESTION_OPENING.match(clause):
            return start / max(1, len(text))
    return None


def find_number(text: str) -> float | None:
    """A count, a share or an amount in digits; no year, date, hour, age or ordinal."""
    for match in patterns.COUNT.finditer(text):
        if not patterns.AGE_OR_NAME.search(text[: match.start()]):
            return match.start() / max(1, len(text))
    return 0.0 if patterns.COUNTED_WORDS.match(text) else None


def find_first_person(text: str) -> float | None:
    """I, my, we, our: the speaker tells of themselves; the country is no "us"."""
    for match in patterns.FIRST_PERSON.finditer(text):
        if not patterns.NAMED_US.search(text[max(0, match.start() - 4) : match.end() + 11]):
            return match.start() / max(1, len(text))
    return None


def find_how_or_why(text: str) -> float | None:
    """A sentence that announces how or why, and does not ask the viewer for it."""
    for start, clause in clauses_of(text):
        asks = clause.endswith("?") and (start > 0 or patterns.ASKS_HOW.match(clause))
        if not asks and (patterns.HOW_WHY.match(clause) or patterns.HERE_IS_WHY.search(clause)):
            return start / max(1, len(text))
    return None


def find_command(text: str) -> float | None:
    """A sentence, or the clause after a condition, that begins with an imperative."""
    for start, clause in clauses_of(text):
        asks = clause.endswith("?") and not CONDITION.match(clause)
        if (not asks or clause.lower().startswith(("guess", "imagine"))) and _commands(clause):
            return start / max(1, len(text))
    return None


def _commands(clause: str) -> bool:
    if CONDITION.match(clause):
        return any(_is_imperative(part, strict=True) for part in clause.split(",")[1:])
    return _is_imperative(clause, strict=False)


def _is_imperative(clause: str, *, strict: bool) -> bool:
    words = re.findall(r"[a-z']+", clause.lower())
    while len(words) > 1 and words[0] in LEADING:
        words = words[1:]
    if patterns.DO_NOT.match(" ".join(words)):
        return True
    if not words or words[0] not in IMPERATIVES:
        return False
    if len(words) == 1:
        return not strict and words[0] not in NEEDS_OBJECT - {"stop", "wait", "look", "go"}
    if words[1] in AUXILIARIES - {"do", "have"} or words[:2] in NO_COMMANDS:
        return False
    return words[0] not in NEEDS_OBJECT or words[1] in OBJECT


KINDS = (
    Kind("question", find_question, 12, 12, LABELLED, any_language=True),
    Kind("number", find_number, 15, 16, LABELLED, any_language=True),
    Kind("pov", _first(patterns.POV), 0, 0, "not counted: it names itself"),
    Kind("command", find_command, 3, 3, LABELLED),
    Kind("testimonial", _earliest(patterns.TESTIMONIAL, patterns.REVIEW), 1, 3, READ),
    Kind("before_after", _first(patterns.BEFORE_AFTER), 2, 2, READ),
    Kind("you", _first(patterns.YOU), 11, 11, LABELLED),
    Kind("i", find_first_person, 21, 22, LABELLED),
    Kind("how_why", find_how_or_why, 6, 6, LABELLED),
    Kind("curiosity_gap", _first(patterns.CURIOSITY_GAP), 20, 22, READ),
    Kind("negative", _first(patterns.NEGATIVE), 14, 22, READ),
    Kind("statistic", _first(patterns.STATISTIC), 20, 22, READ),
    Kind("story", _first(patterns.STORY), 19, 22, READ),
    Kind("offer", _first(patterns.OFFER), 1, 2, READ),
    Kind("news", _first(patterns.NEWS), 15, 17, READ),
)
ORDER = {kind.name: place for place, kind in enumerate(KINDS)}
