"""An iterator that runs ahead in a thread gives the same items, errors and end."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.ahead import run_ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_the_items_come_in_order(items: list[int], depth: int) -> None:
    assert list(run_ahead(iter(items), depth)) == items


def test_an_error_arrives_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise MemoryError("full")

    ahead = run_ahead(broken(), 3)
    assert next(ahead) == 1
    with pytest.raises(MemoryError, match="full"):
        next(ahead)


def test_it_is_no_further_ahead_than_it_may() -> None:
    made: list[int] = []

    def counted() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    for read, _item in enumerate(run_ahead(counted(), 4), start=1):
        assert len(made) <= read + 4 + 2


def test_the_thread_ends_when_the_reader_stops_early() -> None:
    before = threading.active_count()
    ahead = run_ahead(iter(range(10**9)), 2)
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
