"""The six strategies: fifty ways to make one ad, all different to a viewer.

1-data-flow section 2 names them and how many variations each gives.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from shared.creative_models import Concept, Pacing, Seconds, Strategy
from shared.domain.creative.colors import Scheme, schemes_for
from shared.domain.creative.limits import TextField
from shared.domain.creative.lines import Line, Material, check_language, lines_for

TEXTS_EACH, SCHEMES, COMBINATIONS = 10, 5, 6
TOP = 3
Rank = Callable[[Sequence["Draft"]], Sequence["Draft"]]
"""Puts drafts in order, best first."""


@dataclass(frozen=True)
class Draft:
    """One variation before it has a number: what is seen, and what of it is not the base's."""

    hook: Line
    headline: Line
    cta: Line
    scheme: Scheme
    pacing: Pacing
    duration: Seconds
    strategy: Strategy = "combination"
    changed: tuple[tuple[str, str], ...] = ()

    @property
    def hash(self) -> str:
        """32 hexadecimal digits of all that a viewer would see."""
        texts = (self.hook.text, self.headline.text, self.cta.text)
        shown = (*texts, *self.scheme.colors, self.pacing, self.duration)
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:32]


def draft_variations(concept: Concept, material: Material, rank: Rank) -> tuple[Draft, ...]:
    """Fifty drafts in the order of their numbers; `rank` says which are worth combining.

    The same concept, material and order give the same drafts. Raises LanguageUnknown,
    TextTooLong, TooFewTexts.
    """
    check_language(concept, material)
    hooks = lines_for("hook", concept, material, TEXTS_EACH)
    headlines = lines_for("headline", concept, material, TEXTS_EACH)
    ctas = lines_for("cta", concept, material, TEXTS_EACH)
    schemes = schemes_for(concept.brand)
    pacing, duration = concept.pacing, concept.duration
    base = Draft(hooks[0], headlines[0], ctas[0], schemes[0], pacing, duration)
    by_hook = [_with_text(base, "hook", line) for line in hooks[1:]]
    by_cta = [_with_text(base, "cta", line) for line in ctas[1:]]
    return (
        *by_hook,
        *by_cta,
        *(_with_text(base, "headline", line) for line in headlines[1:]),
        *(_with_colors(base, scheme) for scheme in schemes[1 : SCHEMES + 1]),
        *_paced(base),
        *_combined(base, rank(by_hook), rank(by_cta), schemes),
    )


def _with_text(base: Draft, name: TextField, line: Line) -> Draft:
    changed = ((name, _told(line)),)
    if name == "hook":
        return replace(base, hook=line, strategy="hook", changed=changed)
    if name == "cta":
        return replace(base, cta=line, strategy="cta", changed=changed)
    return replace(base, headline=line, strategy="headline", changed=changed)


def _with_colors(base: Draft, scheme: Scheme) -> Draft:
    changed = (("color_scheme", scheme.id),)
    return replace(base, scheme=scheme, strategy="colors", changed=changed)


def _paced(base: Draft) -> list[Draft]:
    """Every pacing at every length; one of the nine is the base itself, and says so."""
    drafts = []
    for pacing in get_args(Pacing):
        for seconds in get_args(Seconds):
            changed = []
            if pacing != base.pacing:
                changed.append(("pacing", f"{base.pacing} -> {pacing}"))
            if seconds != base.duration:
                changed.append(("duration", f"{base.duration} s -> {seconds} s"))
            told = tuple(changed) or (("pacing_duration", "as the base: this one is it"),)
            drafts.append(
                replace(
                    base,
                    pacing=pacing,
                    duration=seconds,
                    strategy="pacing_duration",
                    changed=told,
                )
            )
    return drafts


def _combined(
    base: Draft, hooks: Sequence[Draft], ctas: Sequence[Draft], schemes: Sequence[Scheme]
) -> list[Draft]:
    """Six of top 3 hooks x top 3 calls x top 2 schemes, in which each of them has its turn.

    No prediction knows colours: the top two are the first two of the list.
    """
    drafts = []
    for turn in range(COMBINATIONS):
        hook, cta = hooks[turn % TOP].hook, ctas[(turn + turn // TOP) % TOP].cta
        scheme = schemes[(turn + turn // TOP) % 2]
        changed = [("hook", _told(hook)), ("cta", _told(cta))]
        changed += [("color_scheme", scheme.id)] if scheme != base.scheme else []
        drafts.append(
            replace(
                base,
                hook=hook,
                cta=cta,
                scheme=scheme,
                strategy="combination",
                changed=tuple(changed),
            )
        )
    return drafts


def _told(line: Line) -> str:
    """Where a text comes from."""
    named = {"copy": "written by a language model", "concept": "the concept's own"}
    return named.get(line.source, f"template {line.source}")
