"""What calls to vendors may cost: put aside before, metered after, exact under duplicates."""

import re
from dataclasses import dataclass
from datetime import timedelta

from shared.app import App
from shared.errors import Conflict
from shared.ports import ABSENT, Merge, Put, Write

TOTALS, HOLDS = "call_spend", "call_holds"
MOST_ATTEMPTS = 50
KEPT = timedelta(days=400)
"""How long it can be seen what each call cost; the totals stay."""


@dataclass(frozen=True)
class Caps:
    """Millionths of a dollar; 0 lets nothing through that costs something."""

    subject_micro_usd: int
    day_micro_usd: int


class Meter:
    """Holds money for the calls about one subject, such as a video, against two caps.

    Each hold adds to the totals before it reads them, so two at once can both be refused and
    never both pass over a cap. A process that dies keeps its hold: nobody knows what was billed.
    """

    def __init__(self, app: App, subject: str, caps: Caps) -> None:
        self._app = app
        self._subject = subject
        self._caps = caps
        self._day = app.now().date().isoformat()
        self._held: dict[str, tuple[str, str, int]] = {}

    def hold(self, judge: str, micro_usd: int) -> str:
        """Put money aside for one call; returns why not, empty when it is."""
        if micro_usd < 0:
            raise ValueError(f"{micro_usd} micro-dollars: a call does not earn money")
        hold_id, version = self._create(judge, micro_usd)
        over = self._over()
        if over:
            self._close(hold_id, version, "refused", micro_usd, 0)
            return over
        self._held[judge] = (hold_id, version, micro_usd)
        return ""

    def settle(self, judge: str, micro_usd: int) -> None:
        """Replace what was put aside by what the call cost; a second time does nothing."""
        held = self._held.pop(judge, None)
        if held is not None:
            hold_id, version, estimate = held
            self._close(hold_id, version, "settled", estimate, micro_usd)

    def _create(self, judge: str, micro_usd: int) -> tuple[str, str]:
        """A hold of its own for each attempt, in one commit with the totals it is part of."""
        name = re.sub(r"[^a-z0-9.]+", "-", judge.lower())[:80]
        for attempt in range(1, MOST_ATTEMPTS + 1):
            hold_id = f"{self._subject}:{name}:{attempt}"
            record = {"judge": judge, "day": self._day, "state": "held", "micro_usd": micro_usd}
            until = self._app.now() + KEPT
            put = Put(HOLDS, hold_id, record, expect=ABSENT, expires_at=until)
            try:
                return hold_id, self._app.documents.commit([put, *self._totals(micro_usd)])[0]
            except Conflict:
                if self._app.documents.get(HOLDS, hold_id) is None:
                    raise
        raise Conflict(f"{self._subject}: {judge} was asked {MOST_ATTEMPTS} times already")

    def _close(self, hold_id: str, version: str, state: str, estimate: int, micro_usd: int) -> None:
        stored = self._app.documents.get(HOLDS, hold_id)
        if stored is None or stored.version != version:
            return
        record = {**stored.data, "state": state, "metered_micro_usd": micro_usd}
        change = self._totals(micro_usd - estimate)
        put = Put(HOLDS, hold_id, record, expect=version, expires_at=self._app.now() + KEPT)
        self._app.documents.commit([put, *change])

    def _over(self) -> str:
        for total_id, cap, words in (
            (self._day_id, self._caps.day_micro_usd, "a day"),
            (self._subject_id, self._caps.subject_micro_usd, "a video"),
        ):
            stored = self._app.documents.get(TOTALS, total_id)
            total = int(stored.data["micro_usd"]) if stored else 0
            if total > cap:
                return (
                    f"with this call ${total / 1e6:.4f} would be spent or put aside,"
                    f" over the cap of ${cap / 1e6:.4f} {words}"
                )
        return ""

    def _totals(self, micro_usd: int) -> list[Write]:
        return [
            Merge(TOTALS, self._day_id, {"day": self._day}, {"micro_usd": micro_usd}),
            Merge(TOTALS, self._subject_id, {}, {"micro_usd": micro_usd}),
        ]

    @property
    def _day_id(self) -> str:
        return f"day:{self._day}"

    @property
    def _subject_id(self) -> str:
        return f"subject:{self._subject}"
