"""Templates filled so that they read well: form, capitals and punctuation where texts meet."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from shared.domain.creative.concept import is_visible
from shared.domain.patterns.templates import Entry, fields_in
from shared.models import Record

FILE = Path(__file__).parents[2] / "knowledge" / "phrasing.json"
Form = Literal["noun", "verbal", "clause", "other"]
NAMES = ("product", "brand")
"""Fields that are written as their owner writes them."""
MOST_PHRASE_WORDS = 7
FITTING: Mapping[str, tuple[Form, ...]] = {
    "noun": ("noun",),
    "phrase": ("noun", "verbal"),
    "clause": ("clause",),
}
STOPS = ".!?…,;:。！？、،؟"
_FIELD = re.compile(r"\{([^{}]*)\}")
_INNER_STOP = re.compile(r"[.!?…;:,。！？、،؟](\s|$)|\s[-–—/|]\s|\n")
_SENTENCE_STARTS = re.compile(r"(^|(?<!\.\.)[.!?]\s+|[¿¡])$")


class Words(Record):
    """What one language's values are known by."""

    subjects: frozenset[str]
    openers: frozenset[str]
    verbs: frozenset[str]
    verbal: str
    free: frozenset[str]


class Phrasing(Record):
    """The file."""

    version: int
    note: str
    languages: dict[str, Words]


@cache
def phrasing() -> Mapping[str, Words]:
    """Words by language."""
    return Phrasing.model_validate_json(FILE.read_bytes()).languages


def form_of(value: str, language: str) -> Form:
    """What a value is as grammar goes; `other` when that cannot be told from its words.

    `clause` begins with a subject, `verbal` is a gerund or an infinitive; a capital at the
    beginning may be a name's, so the value is `other` and stands only where a sentence begins.
    """
    known, words = phrasing().get(language), value.split()
    if known is None or not words or _INNER_STOP.search(value):
        return "other"
    first = words[0].lower()
    if first in known.subjects:
        return "clause" if len(words) > 1 else "other"
    found = {word.lower() for word in words}
    if first in known.openers or found & known.verbs or len(words) > MOST_PHRASE_WORDS:
        return "other"
    if known.verbal and re.search(known.verbal, first):
        return "verbal"
    capital = words[0][0].isupper() and not words[0].isupper()
    return "other" if capital and language != "de" else "noun"


def trimmed(values: Mapping[str, str]) -> dict[str, str]:
    """Values without the punctuation around them; names stay as they are."""
    return {
        name: value if name in NAMES else value.strip(STOPS + "¿¡ ")
        for name, value in values.items()
    }


def promises(claims: tuple[str, ...], values: Mapping[str, str], language: str) -> bool:
    """Whether the advertiser's own offer or benefit says what a template claims."""
    known = phrasing().get(language)
    if known is None:
        return not claims
    said = set(re.findall(r"\w+", f"{values.get('offer', '')} {values.get('benefit', '')}".lower()))
    return all(claim == "free" and said & known.free for claim in claims)


def fill_well(entry: Entry, language: str, values: Mapping[str, str]) -> str | None:
    """The template with its fields filled by `trimmed` values; None when it does not suit them.

    It does not when a value is missing or of another form than the template takes, or when the
    template claims what the advertiser did not. Values are data: braces in them stay.
    """
    text = entry.texts.get(language)
    if text is None or not promises(entry.claims, values, language):
        return None
    for name in fields_in(text):
        value = values.get(name, "")
        wanted = FITTING.get(entry.forms.get(name, ""))
        if not is_visible(value) or (wanted and form_of(value, language) not in wanted):
            return None
    return None if _repeats(text, values) else _joined(text, language, values)


def _repeats(text: str, values: Mapping[str, str]) -> bool:
    """Whether benefit and pain point would say the same word beside each other."""
    if not {"benefit", "pain_point"} <= set(fields_in(text)):
        return False
    said = [set(re.findall(r"\w{3,}", values[name].lower())) for name in ("benefit", "pain_point")]
    return bool(said[0] & said[1])


def _joined(text: str, language: str, values: Mapping[str, str]) -> str:
    out, at = "", 0
    for match in _FIELD.finditer(text):
        out += text[at : match.start()]
        at = match.end()
        out += _as_part(match[1], values[match[1]], language, before=out, after=text[at : at + 1])
    return " ".join((out + text[at:]).split())


def _as_part(name: str, value: str, language: str, *, before: str, after: str) -> str:
    """A value as it stands between what comes before and after it."""
    if name in NAMES:
        return value.rstrip(".") if after == "." else value
    if _SENTENCE_STARTS.search(before):
        return _with_capital(value)
    first, _, rest = value.partition(" ")
    known = phrasing().get(language)
    small = known is not None and (
        first.lower() in known.subjects or bool(known.verbal and re.search(known.verbal, first))
    )
    return f"{first.lower()} {rest}" if small and rest and first != "I" else value


def _with_capital(value: str) -> str:
    """With a capital, unless the first word has its own (iPhone) or none fits."""
    first = value.partition(" ")[0]
    capital = value[0].upper()
    own = any(character.isupper() for character in first)
    return value if own or len(capital) != 1 else capital + value[1:]
