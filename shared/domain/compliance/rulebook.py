"""The rule book: what each placement asks of a video, as checked data with its sources.

What is shipped lies in shared/knowledge: platform_rules.json and safe_zones.json.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from shared.creative_models import Placement
from shared.errors import Rejected
from shared.models import Record

FOLDER = Path(__file__).parents[2] / "knowledge"
PLACEMENTS: tuple[Placement, ...] = get_args(Placement)
RuleName = Literal[
    "container",
    "video_codec",
    "audio_codec",
    "ratio",
    "size",
    "long_side",
    "length",
    "file_size",
    "video_bit_rate",
    "audio_bit_rate",
    "sample_rate",
    "frame_rate",
    "steady_rate",
    "faststart",
    "pixel_format",
    "hdr",
    "square_pixels",
    "rotation",
    "sound",
    "loudness",
    "true_peak",
    "black_start",
    "frozen_start",
    "letterbox",
    "safe_zone",
    "text_size",
    "reading_time",
    "text_amount",
    "captions",
    "call_to_action",
    "claims_on_screen",
    "claims_spoken",
    "claims_in_texts",
    "ad_text",
]
OURS = "ours"
GROUP_ALL = "all"


class RulesInvalid(Rejected):
    """A file of rules that cannot be used; the message names the file and the entry."""


class PlacementUnknown(Rejected):
    """A placement, or group of them, that nobody has rules for."""


class Source(Record):
    """Where a rule was read; users act on it, so what was not read there is not `verified`."""

    url: str
    publisher: str
    looked_at: date
    verified: bool = Field(description="read on the publisher's own page, in a stored copy")
    seen: str = Field(description="what was read instead, and how old it is")

    @property
    def told(self) -> str:
        """One line for a finding: the address, the day, and whether it can be relied on."""
        if self.url == OURS:
            return f"GeminiVideo's own default, {self.looked_at}"
        doubt = "" if self.verified else "; not verified on the publisher's page"
        return f"{self.url} (looked at {self.looked_at}{doubt})"


class Bounds(Record):
    """What a value may be; numbers in the unit of their rule, words in lower case."""

    low: float | None = None
    high: float | None = None
    one_of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "Bounds":
        if self.low is None and self.high is None and not self.one_of:
            raise ValueError("bounds need `low`, `high` or `one_of`")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Rule(Record):
    """One rule: a video that breaks `must` fails, one that breaks `should` is warned of."""

    rule: RuleName
    must: Bounds | None = None
    should: Bounds | None = None
    tolerance: float = Field(default=0.0, ge=0, le=0.2, description="share, of a ratio")
    when_ratio: str = Field(default="", description="only for pictures of this shape")
    source: str = Field(description="a name in `sources`")
    note: str = ""


class PlacementRules(Record):
    """The rules of one placement."""

    name: str
    rules: tuple[Rule, ...]


class RuleWords(Record):
    """A rule for people: what it is called, and what to do when it is broken."""

    title: str
    fix: str
    fix_low: str = Field(default="", description="for a value that is too low, where it differs")


class RuleBook(Record):
    """All rules; those of `everywhere` hold unless a placement has its own of that name."""

    version: str
    words: dict[RuleName, RuleWords]
    sources: dict[str, Source]
    everywhere: tuple[Rule, ...]
    placements: dict[Placement, PlacementRules]

    @model_validator(mode="after")
    def _whole(self) -> "RuleBook":
        every = [*self.everywhere, *(r for p in self.placements.values() for r in p.rules)]
        for rule in every:
            if rule.source not in self.sources:
                raise ValueError(f"{rule.rule}: no source is called {rule.source!r}")
            if rule.rule not in self.words:
                raise ValueError(f"{rule.rule}: it has no words for people")
        if missing := set(PLACEMENTS) - set(self.placements):
            raise ValueError(f"no rules for {sorted(missing)}")
        return self

    def rules_of(self, placement: Placement) -> tuple[Rule, ...]:
        """The rules of a placement, its own before those that hold everywhere."""
        own = self.placements[placement].rules
        named = {rule.rule for rule in own}
        return (*own, *(rule for rule in self.everywhere if rule.rule not in named))

    def told(self, rule: Rule) -> str:
        """The source of a rule, for a finding."""
        return self.sources[rule.source].told


class ZoneStatus(Record):
    """What a safe zone rests on: published figures, or somebody's judgement."""

    kind: Literal["published", "judgement"]
    seen: date
    source: str


class SafeZone(Record):
    """The picture of a placement, and how much of each side the app's own controls cover."""

    width: int
    height: int
    top: float = Field(ge=0, le=0.5)
    bottom: float = Field(ge=0, le=0.5)
    left: float = Field(ge=0, le=0.5)
    right: float = Field(ge=0, le=0.5)
    status: ZoneStatus

    @property
    def told(self) -> str:
        """The source for a finding."""
        return f"{self.status.kind}, looked at {self.status.seen}: {self.status.source}"


class SafeZones(Record):
    """shared/knowledge/safe_zones.json, which the cutting of videos reads too."""

    version: int
    about: str
    placements: dict[Placement, SafeZone]


@cache
def rule_book() -> RuleBook:
    """The shipped rules; raises RulesInvalid when the file is broken."""
    try:
        return RuleBook.model_validate(_read("platform_rules.json"))
    except ValidationError as problem:
        raise _invalid("platform_rules.json", problem) from problem


@cache
def safe_zones() -> Mapping[Placement, SafeZone]:
    """The shipped safe zones by placement; raises RulesInvalid when the file is broken."""
    try:
        return SafeZones.model_validate(_read("safe_zones.json")).placements
    except ValidationError as problem:
        raise _invalid("safe_zones.json", problem) from problem


def _invalid(name: str, problem: ValidationError) -> RulesInvalid:
    first = problem.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return RulesInvalid(f"{name}, {place}: {first['msg']}")


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / name).read_bytes())
    return found


def placements_named(names: Iterable[str]) -> tuple[Placement, ...]:
    """The placements that users name: `meta:reels`, `meta` for all of Meta's, `all`.

    Raises PlacementUnknown, naming those there are.
    """
    chosen: list[Placement] = []
    for name in names:
        plain = name.strip().lower()
        found = [p for p in PLACEMENTS if plain in (p, p.partition(":")[0], GROUP_ALL)]
        if not found:
            platforms = dict.fromkeys(p.partition(":")[0] for p in PLACEMENTS)
            raise PlacementUnknown(
                f"{name[:60]!r} is no placement; choose one of {', '.join(PLACEMENTS)}, "
                f"a platform ({', '.join(platforms)}) for all of its placements, or {GROUP_ALL}"
            )
        chosen += [p for p in found if p not in chosen]
    return tuple(chosen)
