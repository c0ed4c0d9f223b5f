"""The figures of the bench: one line each in FIGURES, and the function that works it out."""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scripts.bench.experiments import EXPERIMENTS, Lab
from scripts.bench.processes import Run, Unavailable
from scripts.bench.truth import Score, cuts_of, read_transitions, score
from shared.models import Transition

Clips = dict[str, float]

# A preview sees reference frames only: up to three frames between them are not decoded.
PREVIEW_WITHIN_FRAMES = 4
# Another round starts only when the slowest one so far would still fit.
SPARE_SECONDS = 5.0
NOTHING = "there was no time left to measure it"


@dataclass(frozen=True)
class Figure:
    """One number: what it comes from, its goal, and which side of the goal is good."""

    name: str
    goal: float
    better: Literal["lower", "higher"]
    experiment: str
    work_out: Callable[[Lab], float | Clips]
    goal_with_network: float | None = None


@dataclass(frozen=True)
class Result:
    """A figure measured in some rounds, or None with the reason; `by_clip`: each ad's own."""

    figure: Figure
    value: float | None
    goal: float
    reason: str = ""
    by_clip: Clips | None = None
    rounds: int = 0

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None when the figure is unavailable."""
        if self.value is None:
            return None
        return self.value <= self.goal if self.figure.better == "lower" else self.value >= self.goal

    def as_json(self) -> dict[str, Any]:
        """What `gv bench --json` prints for it."""
        told: dict[str, Any] = {
            "value": self.value,
            "goal": self.goal,
            "better": self.figure.better,
        }
        if self.value is None:
            told["reason"] = self.reason
        if self.rounds:
            told["rounds"] = self.rounds
        if self.by_clip:
            told["by_clip"] = self.by_clip
        return told


def ratio(experiment: str, part: str) -> Callable[[Lab], Clips]:
    """Ours over theirs on each clip: the median of the ratios of paired runs."""

    def work_out(lab: Lab) -> Clips:
        return {
            clip: statistics.median(getattr(p.ours, part) / getattr(p.theirs, part) for p in pairs)
            for clip, pairs in lab.pairs[experiment].items()
        }

    return work_out


def peak(lab: Lab) -> Clips:
    """Megabytes of the largest process of an analysis, the most of all runs on each clip."""
    kept = lab.pairs["analysis"]
    return {clip: max(pair.ours.peak_mb for pair in pairs) for clip, pairs in kept.items()}


def transitions_f1(lab: Lab) -> float:
    """Cuts to the frame, fades and dissolves by kind and range, all ads together."""
    return f1_of(lab, "analysis")


def cuts_f1(lab: Lab) -> float:
    """Hard cuts only, to the frame."""
    return f1_of(lab, "analysis", cuts_of)


def preview_f1(lab: Lab) -> float:
    """All transitions of the preview, cuts to the next reference frame."""
    return f1_of(lab, "preview", within_frames=PREVIEW_WITHIN_FRAMES)


def f1_of(
    lab: Lab,
    experiment: str,
    choose: Callable[[Iterable[Transition]], list[Transition]] = list,
    *,
    within_frames: int = 0,
) -> float:
    """F1 of the chosen transitions over all ads; raises Unavailable without a report."""
    reports = lab.reports(experiment)
    if not reports:
        raise Unavailable(NOTHING)
    scores = (
        score(
            choose(read_transitions(report)),
            choose(clip.edit.transitions),
            within_frames=within_frames,
        )
        for clip, report in reports
    )
    return sum(scores, Score()).f1


def text_vs_decode(lab: Lab) -> Clips:
    """Seconds of reading text, gate and networks, over the processor time of decoding."""
    return {
        clip: statistics.median(seconds_of(p.ours, {"text"}) / p.theirs.cpu_seconds for p in pairs)
        for clip, pairs in lab.pairs["inference"].items()
    }


def full_seconds(lab: Lab) -> float:
    """Wall time of analysis and inference of the first ad, the 30 s one, from the command on."""
    pairs = [pair for clip in lab.clips[:1] for pair in lab.pairs["inference"][clip.edit.name]]
    return middle([pair.ours.wall_seconds for pair in pairs])


def render_vs_duration(lab: Lab) -> float:
    """Time on the clock of a render without a preview over what it makes."""
    pairs = [pair.ours for kept in lab.pairs["render"].values() for pair in kept]
    return middle([run.wall_seconds / json.loads(run.output)["output"] for run in pairs])


def preview_seconds(lab: Lab) -> float:
    """From the call until the preview stands."""
    return middle([took["preview_seconds"] for took in lab.renders])


def seconds_of(run: Run, names: set[str]) -> float:
    """What these analysers took by the report that a run printed; raises Unavailable."""
    parts = json.loads(run.output)["analysers"]
    lacking = [part["reason"] for part in parts if part["name"] in names and part["reason"]]
    found = [part["seconds"] for part in parts if part["name"] in names and part["status"] == "ran"]
    if not found:
        raise Unavailable("; ".join(lacking) or NOTHING)
    return float(sum(found))


def middle(values: Sequence[float]) -> float:
    """The median; raises Unavailable when there is none."""
    if not values:
        raise Unavailable(NOTHING)
    return statistics.median(values)


FIGURES = (
    Figure(
        "analysis_cpu_vs_decode", 1.25, "lower", "analysis", ratio("analysis", "cpu_seconds"), 1.0
    ),
    Figure("analysis_wall_vs_decode", 1.1, "lower", "analysis", ratio("analysis", "wall_seconds")),
    Figure("preview_cpu_vs_decode", 0.65, "lower", "preview", ratio("preview", "cpu_seconds")),
    Figure("preview_transitions_f1", 0.95, "higher", "preview", preview_f1),
    Figure("analysis_vs_pyscenedetect", 0.8, "lower", "scenes", ratio("scenes", "cpu_seconds")),
    Figure("analysis_vs_chain", 0.13, "lower", "chain", ratio("chain", "cpu_seconds")),
    Figure("audio_vs_librosa", 0.1, "lower", "sound", ratio("sound", "cpu_seconds")),
    Figure("peak_mb", 300, "lower", "analysis", peak),
    Figure("start_seconds", 0.6, "lower", "start", lambda lab: middle(lab.starts)),
    Figure(
        "two_at_once_throughput",
        1.2,
        "higher",
        "two",
        lambda lab: middle(lab.throughputs),
    ),
    Figure("transitions_f1", 0.95, "higher", "analysis", transitions_f1),
    Figure("cuts_f1", 0.97, "higher", "analysis", cuts_f1),
    Figure("ocr_vs_decode", 0.5, "lower", "inference", text_vs_decode),
    Figure("inference_seconds", 6.0, "lower", "inference", full_seconds),
    Figure("render_vs_duration", 0.7, "lower", "render", render_vs_duration),
    Figure("render_vs_plain", 1.15, "lower", "render", ratio("render", "wall_seconds")),
    Figure("preview_seconds", 3.0, "lower", "render", preview_seconds),
)


def measure(figures: Iterable[Figure], lab: Lab) -> list[Result]:
    """Run what the figures need, in rounds while there is time, and work them out."""
    chosen = list(figures)
    problems = run_rounds({figure.experiment for figure in chosen}, lab)
    return [work_out(figure, lab, problems.get(figure.experiment)) for figure in chosen]


def run_rounds(names: set[str], lab: Lab) -> dict[str, str]:
    """Rounds of these experiments; returns why those failed that could not finish one."""
    todo = [name for name in EXPERIMENTS if name in names]
    problems: dict[str, str] = {}
    slowest: dict[str, float] = {}
    for done in range(max((EXPERIMENTS[name].rounds for name in todo), default=0)):
        for name in todo:
            wanted = name not in problems and done < EXPERIMENTS[name].rounds
            if not wanted or slowest.get(name, 0.0) + SPARE_SECONDS > lab.clock.left:
                continue
            began = time.monotonic()
            try:
                EXPERIMENTS[name].one_round(lab)
                lab.rounds[name] += 1
            except Unavailable as problem:
                problems[name] = str(problem)
            slowest[name] = max(slowest.get(name, 0.0), time.monotonic() - began)
    return problems


def work_out(figure: Figure, lab: Lab, problem: str | None) -> Result:
    """The figure from what was measured; of several clips the one that does worst counts."""
    goal = figure.goal
    if figure.goal_with_network and faces_by_network(lab):
        goal = figure.goal_with_network
    try:
        found = figure.work_out(lab)
    except Unavailable as nothing:
        return Result(figure, None, goal, reason=problem or str(nothing))
    rounds = lab.rounds[figure.experiment]
    if isinstance(found, float):
        return Result(figure, round(found, 3), goal, rounds=rounds)
    if not found:
        return Result(figure, None, goal, reason=problem or NOTHING)
    by_clip = {clip: round(value, 3) for clip, value in found.items()}
    worst = max if figure.better == "lower" else min
    return Result(figure, worst(by_clip.values()), goal, by_clip=by_clip, rounds=rounds)


def faces_by_network(lab: Lab) -> bool:
    """Whether a face network (YuNet) was configured instead of the Haar cascade."""
    return any(report["faces"].get("detector") == "yunet" for _, report in lab.reports("analysis"))
