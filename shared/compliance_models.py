"""The records of compliance: where an ad is to run, what was checked on the file, what it says."""

from typing import Literal

from pydantic import Field

from shared.creative_models import Placement
from shared.models import Record

Grade = Literal["pass", "warn", "fail", "unavailable"]


class Finding(Record):
    """One rule on one file; `unavailable`: it could not be checked, and `found` says why."""

    rule: str = Field(description="a name that machines read, such as `ratio` or `safe_zone`")
    grade: Grade
    found: str
    expected: str
    at_seconds: float | None = Field(default=None, description="where in the video it is seen")
    fix: str = Field(default="", description="what a person can do; empty when it passed")
    automatic_fix: str = Field(default="", description="a name that the renderer knows; else empty")
    source: str = Field(description="where the rule is published, and when that was looked at")


class Compliance(Record):
    """The verdict on one file for one placement: the worst grade of its findings."""

    placement: Placement
    verdict: Literal["pass", "warn", "fail"]
    findings: tuple[Finding, ...]
    rules_version: str
