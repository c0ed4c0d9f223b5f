"""Slots are those of cron in UTC, and an event belongs to the nearest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.schedules import rules
from shared.errors import ConfigError

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(
    "cron",
    [
        "", "* * * *", "* * * * * *", "@hourly", "60 * * * *", "* 24 * * *", "* * 0 * *",
        "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "a * * * *", "* * L * *",
        "* * * * MON#2", "0 0 30 2 *", "0 0 30 FEB *", "1,,2 * * * *", "* * * * *\n", "-1 * * * *",
        "９ * * * *", "1," * 200 + "1 * * * *", "*" * 5, "0 0 * * XYZ",
    ],
)  # fmt: skip
def test_what_is_no_cron_expression_is_refused_by_name(cron: str) -> None:
    with pytest.raises(ConfigError, match="cron expression") as caught:
        rules.slot_of(NOON, cron)
    assert repr(cron[:200]) in str(caught.value)


@pytest.mark.parametrize(
    ("cron", "last", "following"),
    [
        ("0 2 * * *", "2026-11-21 02:00", "2026-11-22 02:00"),
        ("*/5 * * * *", "2026-11-21 12:00", "2026-11-21 12:05"),
        ("30 9-17/4 * * MON-FRI", "2026-11-20 17:30", "2026-11-23 09:30"),
        ("0 0 1 1,jul *", "2026-07-01 00:00", "2027-01-01 00:00"),
        ("0 0 29 2 *", "2024-02-29 00:00", "2028-02-29 00:00"),
        ("0 12 * * 7", "2026-11-15 12:00", "2026-11-22 12:00"),
    ],
)
def test_slots_are_those_of_cron_in_utc(cron: str, last: str, following: str) -> None:
    assert f"{rules.last_slot(cron, NOON):%Y-%m-%d %H:%M}" == last
    assert f"{rules.next_slot(cron, NOON):%Y-%m-%d %H:%M}" == following
    elsewhere = NOON.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert rules.last_slot(cron, elsewhere) == rules.last_slot(cron, NOON)


@settings(deadline=None)
@given(MOMENTS, st.sampled_from(["*/5 * * * *", "0 * * * *", "0 2 * * *", "17 3 1 * *"]))
def test_the_slot_of_an_event_is_the_nearest(moment: datetime, cron: str) -> None:
    slot = rules.slot_of(moment, cron)
    before, after = rules.last_slot(cron, moment), rules.next_slot(cron, moment)
    assert before <= moment < after
    assert rules.next_slot(cron, before) == after
    assert abs(slot - moment) == min(moment - before, after - moment)
    assert rules.slot_of(slot, cron) == slot


@settings(deadline=None)
@given(MOMENTS, st.floats(-149, 149))
def test_a_publish_that_is_early_or_late_has_the_slot_it_was_meant_for(
    moment: datetime, seconds: float
) -> None:
    slot = rules.last_slot("*/5 * * * *", moment)
    assert rules.slot_of(slot + timedelta(seconds=seconds), "*/5 * * * *") == slot
