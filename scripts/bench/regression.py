"""The table in docs/benchmarks.md: one row a run, so that everybody sees what became slower."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from scripts.bench.figures import Result
from scripts.stages import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- written by scripts/gv bench --write -->", "<!-- end -->"
FIXED = ("date", "commit", "machine")
GOAL = "goal"
UNKNOWN = "-"
CPU_INFO = Path("/proc/cpuinfo")

Row = dict[str, str]


def write_row(results: Sequence[Result], now: datetime, page: Path = PAGE) -> None:
    """Add this run to the table; a run of the same commit and machine is replaced."""
    before, table, after = split(page.read_text())
    row = {"date": now.strftime("%Y-%m-%d"), "commit": commit(), "machine": machine()}
    row |= {r.figure.name: UNKNOWN if r.value is None else f"{r.value:g}" for r in results}
    goal = {"date": GOAL} | {
        r.figure.name: f"{'≤' if r.figure.better == 'lower' else '≥'} {r.goal:g}" for r in results
    }
    page.write_text(before + render(merge(read(table), goal, row)) + after)


def split(text: str) -> tuple[str, str, str]:
    """What stands before the table, the table, and what stands after it; raises ValueError."""
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:begin] + "\n", text[begin:end], text[end:]


def read(table: str) -> list[Row]:
    """The rows of a Markdown table by the names of its columns; none when there is no table."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def merge(rows: Sequence[Row], goal: Row, row: Row) -> list[Row]:
    """The goals first, then every run in order; what a partial run did not measure stays known."""
    goals = next((old for old in rows if old["date"] == GOAL), {})
    runs = [old for old in rows if old["date"] != GOAL]
    same = [old for old in runs if all(old[k] == row[k] for k in ("commit", "machine"))]
    kept = [old for old in runs if old not in same]
    return [goals | goal, *kept, (same[-1] if same else {}) | row]


def render(rows: Sequence[Row]) -> str:
    """A Markdown table with a column for every figure that any row knows."""
    names = dict.fromkeys([*FIXED, *(name for row in rows for name in row)])
    lines = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(row.get(n) or UNKNOWN for n in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def commit() -> str:
    """The short name of the commit, with + when files differ from it; - outside of git."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return name + "+" * bool(changed)


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words
        ["git", *words],  # noqa: S607 - whichever git the user has
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def machine() -> str:
    """Processor and number of cores; never the name of the machine."""
    model = platform.machine()
    if CPU_INFO.is_file():
        lines = CPU_INFO.read_text().splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        model = named[0] if named else model
    return f"{model.replace('|', '/')}, {os.cpu_count()} cores"
