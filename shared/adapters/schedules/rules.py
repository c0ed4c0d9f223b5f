"""When a schedule is due: five cron fields in UTC, and the slots that they name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.errors import ConfigError, ScheduleMissing
from shared.ports import Schedule

if TYPE_CHECKING:
    from cronsim import CronSim

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
# Cloud Scheduler knows no seconds, no `L` and no `#`; what runs on a laptop must run there.
_TERM = r"(\*|([0-9]{1,2}|[A-Za-z]{3})(-([0-9]{1,2}|[A-Za-z]{3}))?)(/[0-9]{1,2})?"
_FIELD = rf"{_TERM}(,{_TERM})*"
_CRON = re.compile(rf"{_FIELD}( +{_FIELD}){{4}}")
_MAX_CRON_LENGTH = 200


@dataclass(frozen=True)
class DueRun:
    """One event to publish: of a slot of the schedule, or of a request to run it now."""

    schedule: Schedule
    slot: datetime | None = None
    request_id: str | None = None


def check_schedules(schedules: Sequence[Schedule]) -> None:
    """Raises ConfigError naming the first name, double name or cron expression that is wrong."""
    names: set[str] = set()
    for schedule in schedules:
        if not is_name(schedule.name):
            raise ConfigError(
                f"schedule {schedule.name!r}: expected 1 to 100 of a-z, 0-9, hyphen, underscore"
            )
        if schedule.name in names:
            raise ConfigError(f"schedule {schedule.name!r} is declared twice; give each one name")
        names.add(schedule.name)
        next_slot(schedule.cron, datetime(2000, 1, 1, tzinfo=UTC))


def is_name(name: str) -> bool:
    """Whether a schedule can have this name; it is a part of a path in the cloud."""
    return _NAME.fullmatch(name) is not None


def missing(name: str, known: Sequence[Schedule]) -> ScheduleMissing:
    """The error for a schedule that is not there, with those that are."""
    names = ", ".join(sorted(schedule.name for schedule in known)) or "there is none"
    return ScheduleMissing(f"no schedule {name!r}; known: {names}")


def last_slot(cron: str, at: datetime) -> datetime:
    """The newest slot at or before a moment, in UTC; raises ConfigError for a bad expression."""
    whole = at.astimezone(UTC).replace(microsecond=0)
    return _first(cron, whole + timedelta(seconds=1), backwards=True)


def next_slot(cron: str, at: datetime) -> datetime:
    """The first slot after a moment, in UTC; raises ConfigError for a bad expression."""
    return _first(cron, at.astimezone(UTC), backwards=False)


def slot_of(published_at: datetime, cron: str) -> datetime:
    """The slot of an event: its publish time rounded to the nearest slot, a tie to the earlier.

    A scheduler repeats itself with the same payload; the slot makes two of them one fact.
    Raises ConfigError for a bad expression.
    """
    before, after = last_slot(cron, published_at), next_slot(cron, published_at)
    return before if published_at - before <= after - published_at else after


def _first(cron: str, at: datetime, *, backwards: bool) -> datetime:
    slot = next(_parse(cron, at, backwards=backwards), None)
    if slot is None:
        raise ConfigError(f"cron expression {cron!r} names no moment within 50 years")
    return slot


def _parse(cron: str, at: datetime, *, backwards: bool) -> "CronSim":
    from cronsim import CronSim, CronSimError

    expected = "expected minute hour day month weekday in UTC, such as '0 2 * * *'"
    if len(cron) > _MAX_CRON_LENGTH or not _CRON.fullmatch(cron):
        raise ConfigError(f"cron expression {cron[:_MAX_CRON_LENGTH]!r}: {expected}")
    try:
        return CronSim(cron, at, reverse=backwards)
    except CronSimError as problem:
        raise ConfigError(f"cron expression {cron!r}: {problem}; {expected}") from problem
