"""The figures on a model card, written by the training: a card tells of no other model."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.train.figures import Figure

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def figures_table(figures: Iterable[Figure]) -> str:
    """A Markdown table: figure, value, goal, baseline, measured on."""
    rows = ["| figure | value | goal | baseline | measured on |", "| --- | --- | --- | --- | --- |"]
    for figure in figures:
        sign = "<=" if figure.lower_is_better else ">="
        goal = "" if figure.goal is None else f"{sign} {figure.goal:.2f}"
        baseline = "" if figure.baseline is None else f"{figure.baseline:.5g}"
        cells = (figure.name, figure.shown, goal, baseline, figure.measured_on)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def reliability_table(rows: Sequence[tuple[float, float, int]]) -> str:
    """A Markdown table of bins: what was said, how often it happened."""
    lines = ["| said | happened | statements |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {said:.3f} | {was:.3f} | {n} |" for said, was, n in rows)])


def write_figures(card: Path, *tables: str) -> None:
    """Puts tables between the marks of a card."""
    block = "\n\n".join([BEGIN, *tables, END])
    card.write_text(BLOCK.sub(lambda _: block, card.read_text()))
