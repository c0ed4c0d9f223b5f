"""Claims and banned words in what an ad shows, says and writes, by language, with their second.

The words are data (shared/knowledge/claims.json): categories with the policy each comes from.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from pydantic import Field, ValidationError, model_validator

from shared.compliance_models import Finding, Grade
from shared.creative_models import Placement
from shared.domain.compliance.facts import Measured, ShownFacts
from shared.domain.compliance.figures import as_data
from shared.domain.compliance.on_screen import unread
from shared.domain.compliance.phrases import Hit, Phrase, compiled, plain
from shared.domain.compliance.rulebook import FOLDER, Rule, RuleBook, RulesInvalid, Source
from shared.inference_models import TextLine
from shared.models import Record

ANY_LANGUAGE, ENGLISH = "any", "en"
EXPECTED = "no claims or words that the platform's policies forbid"
AROUND = 28


class Category(Record):
    """A kind of claim: how platforms treat it, and the policy of each."""

    title: str
    fix: str
    grade: Grade
    grades: dict[str, Grade] = Field(default={}, description="by platform, where it differs")
    sources: dict[str, str] = Field(description="platform -> a name in `sources`")


class Words(Record):
    """The phrases of one language, by category; `except` are harmless where they overlap."""

    lists: dict[str, str]
    phrases: dict[str, tuple[str, ...]]
    harmless: dict[str, tuple[str, ...]] = Field(alias="except")


class ClaimBook(Record):
    """All categories and their words."""

    version: str
    sources: dict[str, Source]
    categories: dict[str, Category]
    languages: dict[str, Words]

    @model_validator(mode="after")
    def _whole(self) -> "ClaimBook":
        for name, category in self.categories.items():
            if unknown := set(category.sources.values()) - set(self.sources):
                raise ValueError(f"{name}: no source is called {sorted(unknown)[0]!r}")
        for language, words in self.languages.items():
            if unknown := {*words.phrases, *words.harmless} - set(self.categories):
                raise ValueError(f"{language}: no category is called {sorted(unknown)[0]!r}")
        return self

    def chosen(self, language: str) -> tuple[str, ...]:
        """The languages to look in: a known one, English beside it; all for an unknown one."""
        if language in self.languages:
            return tuple(dict.fromkeys((ANY_LANGUAGE, language, ENGLISH)))
        return tuple(self.languages)


@dataclass(frozen=True)
class Said:
    """A plain text, and when it begins to be seen; `spoken`: when each letter is said."""

    text: str
    at_seconds: float | None
    where: str = ""
    from_screen: bool = False
    spoken: tuple[tuple[int, float], ...] = ()

    def at(self, letter: int) -> float | None:
        """When a letter of the text is seen or said."""
        if not self.spoken:
            return self.at_seconds
        return self.spoken[max(0, bisect_right(self.spoken, (letter, inf)) - 1)][1]


@dataclass(frozen=True)
class Claim:
    """A phrase of a category that was found."""

    category: str
    said: Said
    words: str
    around: str
    at_seconds: float | None


@cache
def claim_book() -> ClaimBook:
    """The shipped claims; raises RulesInvalid when the file is broken."""
    try:
        return ClaimBook.model_validate(json.loads((FOLDER / "claims.json").read_bytes()))
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RulesInvalid(f"claims.json, {place}: {first['msg']}") from problem


@cache
def phrases_of(language: str, category: str) -> tuple[tuple[Phrase, ...], tuple[Phrase, ...]]:
    """The phrases of a category in one language, and the harmless ones, ready to be looked for."""
    words = claim_book().languages[language]
    lists = tuple(words.lists.items())
    found = tuple(compiled(one, lists) for one in words.phrases.get(category, ()))
    return found, tuple(compiled(one, lists) for one in words.harmless.get(category, ()))


def find_claims(texts: Iterable[Said], language: str) -> list[Claim]:
    """Every claim in the texts, in their order; an empty `language` looks in all languages."""
    book = claim_book()
    languages = book.chosen(language)
    return [
        Claim(
            category,
            said,
            said.text[hit.start : hit.end],
            _around(said.text, hit),
            said.at(hit.start),
        )
        for said in texts
        for category in book.categories
        for hit in _hits(said, category, languages)
    ]


def _hits(said: Said, category: str, languages: Sequence[str]) -> list[Hit]:
    """The places of a category in one text, none of them within another or harmless."""
    hits: list[Hit] = []
    for language in languages:
        phrases, harmless = phrases_of(language, category)
        spared = [hit for phrase in harmless for hit in phrase.find(said.text)]
        for phrase in phrases:
            for hit in phrase.find(said.text, from_screen=said.from_screen):
                if not any(hit.meets(other) for other in (*spared, *hits)):
                    hits.append(hit)
    return sorted(hits, key=lambda hit: hit.start)


def _around(text: str, hit: Hit) -> str:
    """The words found, with a little of what stands around them."""
    start = text.rfind(" ", 0, max(0, hit.start - AROUND)) + 1 if hit.start > AROUND else 0
    end = text.find(" ", min(len(text), hit.end + AROUND))
    return text[start : end if end >= 0 else len(text)]


def judge_claims(
    rule: Rule, placement: Placement, measured: Measured, facts: ShownFacts, book: RuleBook
) -> list[Finding]:
    """One finding a claim in the part of the ad that `rule` is about, or one that there is none."""
    problem, texts = _texts_of(rule, measured, facts)
    found = find_claims(texts, facts.language)
    findings = [_finding(rule, claim, placement) for claim in _once(found)]
    if problem:
        findings.append(unread(rule, book, problem).model_copy(update={"expected": EXPECTED}))
    elif not findings:
        told = "none found" if texts else "there are none"
        if rule.rule == "claims_on_screen" and measured.skipped_reads:
            told += f"; {measured.skipped_reads} changes came too fast to be read"
        findings.append(
            Finding(
                rule=rule.rule, grade="pass", found=told, expected=EXPECTED, source=book.told(rule)
            )
        )
    return findings


def _once(claims: Sequence[Claim]) -> Iterator[Claim]:
    """Each claim at the first moment it is seen; a line that stays is one claim."""
    seen: set[tuple[str, str]] = set()
    for claim in claims:
        if (key := (claim.category, claim.words.replace(" ", ""))) not in seen:
            seen.add(key)
            yield claim


def _texts_of(rule: Rule, measured: Measured, facts: ShownFacts) -> tuple[str, list[Said]]:
    """What keeps from checking, or nothing; and the texts there are."""
    if rule.rule == "claims_in_texts":
        return "", [Said(plain(one.text), None, one.field) for one in facts.ad_texts]
    if rule.rule == "claims_spoken":
        return _spoken(measured, facts)
    shown = [Said(plain(one.text), one.start_seconds) for one in facts.shown]
    if measured.text is None:
        return measured.text_problem, shown
    return "", [*shown, *_read(measured.text)]


def _read(lines: Sequence[TextLine]) -> Iterator[Said]:
    """What was read, line by line, and the lines that stand at one moment as one text."""
    for line in lines:
        yield Said(plain(line.text), line.start_seconds, from_screen=True)
    for at in sorted({line.start_seconds for line in lines}):
        there = [one for one in lines if one.start_seconds <= at < one.end_seconds]
        if len(there) > 1:
            whole = " ".join(one.text for one in sorted(there, key=lambda one: one.box.top))
            yield Said(plain(whole), at, from_screen=True)


def _spoken(measured: Measured, facts: ShownFacts) -> tuple[str, list[Said]]:
    if facts.transcript is not None:
        text, spoken = "", list[tuple[int, float]]()
        for word in facts.transcript.words:
            if said := plain(word.word):
                spoken.append((len(text), word.start_seconds))
                text += said + " "
        return "", [Said(text.rstrip(), None, spoken=tuple(spoken))] if spoken else []
    if measured.speech is None:
        return f"where somebody speaks is not known: {measured.speech_problem}", []
    if measured.speech:
        return "somebody speaks, and what is said is not known: give a transcript", []
    return "", []


def _finding(rule: Rule, claim: Claim, placement: Placement) -> Finding:
    book = claim_book()
    category, platform = book.categories[claim.category], placement.partition(":")[0]
    where = f" in {claim.said.where}" if claim.said.where else ""
    return Finding(
        rule=rule.rule,
        grade=category.grades.get(platform, category.grade),
        found=f"{category.title}: {as_data(claim.around)}{where}",
        expected=EXPECTED,
        at_seconds=claim.at_seconds,
        fix=category.fix,
        source=book.sources[category.sources[platform]].told,
    )
