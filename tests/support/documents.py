"""What the tests of the Documents port share: a clock, short questions, JSON, threads."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.ports import Documents, Put, Where

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

json_keys = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="."),
    min_size=1,
    max_size=12,
).filter(lambda key: not (key.startswith("__") and key.endswith("__")))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.dictionaries(json_keys, inner, max_size=4)
        | st.lists(inner.filter(lambda v: not isinstance(v, list)), max_size=4)
    ),
    max_leaves=12,
)


@dataclass
class Clock:
    """A clock that tests set."""

    at: datetime = field(default=START)

    def __call__(self) -> datetime:
        return self.at


def data_of(documents: Documents, kind: str, id: str) -> Any:
    found = documents.get(kind, id)
    return None if found is None else found.data


def ids_of(documents: Documents, kind: str, *where: Where, **how: Any) -> list[str]:
    return [d.id for d in documents.query(kind, where, **how).documents]


def all_pages(documents: Documents, kind: str, *where: Where, **how: Any) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = documents.query(kind, where, cursor=cursor, **how)
        pages.append([d.id for d in page.documents])
        cursor = page.next_cursor
        if cursor is None:
            return pages


def flat(pages: Sequence[Sequence[str]]) -> list[str]:
    return [id for page in pages for id in page]


def expire_one(documents: Documents, clock: Clock) -> str:
    """A document with a vector that has just expired; returns its version."""
    put = Put("leases", "a", {"n": 5, "v-w": {"x": 1}}, expires_at=clock.at + HOUR, vector=[1, 0])
    (version,) = documents.commit([put])
    clock.at += HOUR - timedelta(microseconds=1)
    assert data_of(documents, "leases", "a") == {"n": 5, "v-w": {"x": 1}}
    clock.at += timedelta(microseconds=1)
    return version


def together(work: Callable[[int], Any], threads: int = 8) -> list[Any]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(threads)))
