"""The texts that a concept may be told in: its own, a language model's, and filled templates."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.creative_models import Concept, Recommendations
from shared.domain.creative.limits import TextField, check_own, fits, limit_of, width_of
from shared.domain.creative.phrasing import fill_well, trimmed
from shared.domain.patterns.templates import Entry, Knowledge, Topic, fields_in, fitting
from shared.errors import Rejected

TOPIC_OF: Mapping[TextField, Topic] = {
    "hook": "hooks",
    "headline": "headlines",
    "cta": "calls_to_action",
}
TRUSTED_CONFIDENCE = 0.5
"""From here on recommendations are blended in; 1-data-flow section 2."""
FROM_COPY, FROM_CONCEPT = "copy", "concept"
MOST_COPY = 5
"""Of ten variations of one text at most half are a language model's."""


class LanguageUnknown(Rejected):
    """There are no templates in the concept's language."""


class TooFewTexts(Rejected):
    """Not enough different texts fit; the message names field, length and limit."""


@dataclass(frozen=True)
class Line:
    """A text to show; `source` is the id of its template, `copy` or `concept`."""

    text: str
    source: str
    hook_type: str = ""
    soft: bool = False


@dataclass(frozen=True)
class Material:
    """What plans are made of: templates, a language model's copy, what past ads teach."""

    knowledge: Mapping[Topic, Knowledge]
    copy: Mapping[TextField, Sequence[str]] = field(default_factory=dict)
    recommendations: Recommendations | None = None

    @property
    def trusted(self) -> Recommendations | None:
        """The recommendations when there are enough ads behind them."""
        known = self.recommendations
        return known if known and known.confidence >= TRUSTED_CONFIDENCE else None


def check_language(concept: Concept, material: Material) -> None:
    """Raise LanguageUnknown when a text has no template in the concept's language."""
    spoken = [
        {language for entry in material.knowledge[topic].entries for language in entry.texts}
        for topic in TOPIC_OF.values()
    ]
    there = set.intersection(*spoken)
    if concept.language not in there:
        raise LanguageUnknown(
            f"language {concept.language!r}: there are templates in {', '.join(sorted(there))}; "
            "write the concept in one of these, or bring texts of your own with `gv knowledge use`"
        )


def lines_for(name: TextField, concept: Concept, material: Material, count: int) -> list[Line]:
    """The base's line first, then `count` others, all different, each within every limit.

    Raises TextTooLong for a text of the concept's own, TooFewTexts.
    """
    own = getattr(concept, name)
    if own:
        check_own(own, name, concept.platforms)
    copy = [Line(text, FROM_COPY) for text in material.copy.get(name, ())[:MOST_COPY]]
    filled = _filled(name, concept, material)
    short = [line for line in filled if fits(line.text, name, concept.platforms)]
    # What a model writes is tried against a base, and never is it.
    base = [Line(own, FROM_CONCEPT)] if own else short[:1]
    found = _different([*base, *copy, *short])
    if len(found) <= count:
        raise TooFewTexts(_too_few(name, concept, found, filled, count + 1))
    return found[: count + 1]


def _filled(name: TextField, concept: Concept, material: Material) -> list[Line]:
    """Every template that suits the concept, filled, the best to begin with first."""
    values, language = values_of(concept), concept.language
    industry = "".join(filter(str.isalnum, concept.industry.lower()))
    held = material.knowledge[TOPIC_OF[name]]
    entries = fitting(held, language=language, industry=industry)
    lines = []
    for entry in _ordered(name, entries, concept.seed, material.trusted):
        text = fill_well(entry, language, values)
        if text is not None:
            lines.append(Line(text, entry.id, entry.hook_type, entry.soft))
    return lines


def values_of(concept: Concept) -> dict[str, str]:
    """What fields of templates stand for."""
    return trimmed(
        {
            "product": concept.product,
            "benefit": concept.benefit,
            "pain_point": concept.pain_point,
            "audience": concept.target_audience,
            "offer": concept.offer,
            "brand": concept.brand.name,
        }
    )


def _ordered(
    name: TextField, entries: Sequence[Entry], seed: int, known: Recommendations | None
) -> list[Entry]:
    """Recommended ones, the industry's, those that speak of the concept, those that fit all.

    Within a group each kind of hook comes once before one comes twice; the seed shuffles.
    """
    recommended = (known.ctas if name == "cta" else known.hooks) if known else ()

    def group(entry: Entry) -> float:
        if known and entry.hook_type and entry.hook_type in known.avoid:
            return 9
        if entry.id in recommended:
            return recommended.index(entry.id) / 1000
        if known and entry.hook_type and entry.hook_type in known.hook_types:
            return 1 + known.hook_types.index(entry.hook_type) / 1000
        speaks = any(fields_in(text) for text in entry.texts.values())
        return 2 if entry.industries else 3 if speaks else 4

    def shuffled(place: int, entry: Entry) -> str:
        return hashlib.sha256(f"{seed}/{entry.id}".encode()).hexdigest() if seed else f"{place:06}"

    placed = [(group(entry), shuffled(i, entry), entry) for i, entry in enumerate(entries)]
    placed.sort(key=lambda one: one[:2])
    seen: Counter[tuple[float, str]] = Counter()
    ranks = []
    for order, (of_group, _, entry) in enumerate(placed):
        seen[of_group, entry.hook_type] += 1
        ranks.append((of_group, seen[of_group, entry.hook_type], order))
    return [placed[order][2] for *_, order in sorted(ranks)]


def _different(lines: Iterable[Line]) -> list[Line]:
    """Each text once, whatever its capitals and punctuation."""
    found: dict[tuple[str, ...] | str, Line] = {}
    for line in lines:
        words = tuple("".join(c if c.isalnum() else " " for c in line.text.casefold()).split())
        found.setdefault(words or line.text, line)
    return list(found.values())


def _too_few(
    name: TextField, concept: Concept, found: Sequence[Line], filled: Sequence[Line], wanted: int
) -> str:
    limit = limit_of(name, concept.platforms)
    longer = [w for line in filled if (w := width_of(line.text)) > limit.width]
    shortest = f"; the shortest that does not is {min(longer)}" if longer else ""
    return (
        f"{name}: {len(found)} different texts in {concept.language!r} fit in {limit.width} "
        f"characters ({limit.platform}: {limit.name}), {wanted} are needed{shortest}; add short "
        f"templates with `gv knowledge use {TOPIC_OF[name]} FILE`"
    )
