"""`gv bench`: the ads' truth is exact, runs are measured whole, and nothing is ever invented."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from scripts.bench import compose, figures, peers, regression
from scripts.bench.edit import EDITS, Edit, plan_edit
from scripts.bench.experiments import Experiment, Lab, Pair
from scripts.bench.figures import FIGURES, Figure, measure, work_out
from scripts.bench.frames import draw_frames, read_footage
from scripts.bench.processes import Clock, Run, Unavailable, run_one, run_together
from scripts.bench.sound import RATE
from scripts.bench.truth import Score, score
from scripts.cli import bench as verb
from scripts.cli.__main__ import gv
from shared.models import Transition

LONG = 60.0


def cut(frame: int) -> Transition:
    """A hard cut."""
    return Transition(kind="cut", start_frame=frame, end_frame=frame)


def dissolve(start: int, end: int) -> Transition:
    """A dissolve."""
    return Transition(kind="dissolve", start_frame=start, end_frame=end)


def quiet_lab(seconds: float = LONG) -> Lab:
    """A lab in which nothing was measured yet."""
    return Lab(Clock(seconds), lambda what: None)


def took(cpu: float, wall: float = 1.0, peak: float = 1.0, output: str = "") -> Run:
    """A run that took so much."""
    return Run(cpu, wall, peak, output)


class TestEdits:
    """Every frame is covered, and the truth is what is drawn."""

    @given(seed=st.integers(0, 10**6), seconds=st.integers(10, 90))
    def test_shots_cover_the_ad_without_a_gap(self, seed: int, seconds: int) -> None:
        """Neighbours differ, touch or overlap in a dissolve; the last frame is the last."""
        edit = plan_edit("any", (1920, 1080), seconds=seconds, fps=30, seed=seed)
        assert edit.shots[0].start == 0
        assert edit.shots[-1].end == edit.frames == 30 * seconds
        for one, other in pairwise(edit.shots):
            assert one.footage.scene != other.footage.scene
            assert one.start < other.start <= one.end < other.end

    @given(seed=st.integers(0, 10**6))
    def test_transitions_are_in_order_and_apart(self, seed: int) -> None:
        """No two share a frame, so that each can be found for itself."""
        edit = plan_edit("any", (1080, 1920), seconds=40, fps=30, seed=seed)
        changes = edit.transitions
        for one, other in pairwise(changes):
            assert one.start_frame <= one.end_frame < other.start_frame
        assert len(changes) >= len(edit.shots)

    def test_the_ads_hold_every_kind_and_a_flash(self) -> None:
        """What the bench promises to measure is in both of them."""
        for edit in EDITS:
            kinds = {change.kind for change in edit.transitions}
            assert kinds == {"cut", "dissolve", "fade_in", "fade_out"}
            assert any(shot.flash_at is not None for shot in edit.shots)

    def test_the_picture_changes_where_the_truth_says(self, small: Edit) -> None:
        """The frame of a cut differs most from the one before it; a fade ends in black."""
        frames = [frame.copy() for frame in draw_frames(small, read_footage(compose.SAMPLE))]
        assert len(frames) == small.frames
        luma = np.array([f[: small.height] for f in frames], np.float32)
        steps = np.abs(np.diff(luma, axis=0)).mean(axis=(1, 2))
        flashes = [shot.flash_at for shot in small.shots if shot.flash_at is not None]
        for change in small.transitions:
            if change.kind == "cut":
                near = steps[change.start_frame - 3 : change.start_frame + 2]
                assert near.argmax() == 2
            if change.kind == "fade_out":
                assert luma[change.end_frame].mean() < 25
        assert all(luma[at + 1].mean() > 225 for at in flashes)


@pytest.fixture(scope="module")
def small() -> Edit:
    """An ad of ten seconds, 192x108."""
    return plan_edit("small", (192, 108), seconds=10, fps=30, seed=3)


def test_a_composed_clip_has_its_frames_and_its_sound(tmp_path: Path, small: Edit) -> None:
    """Size, number of frames, length of the sound, and no half-made file beside it."""
    clip = compose.clip_of(small, tmp_path)
    compose.compose_clip(clip)
    with av.open(str(clip.path)) as container:
        picture, heard = container.streams.video[0], container.streams.audio[0]
        assert (picture.width, picture.height) == (192, 108)
        assert sum(1 for _ in container.decode(picture)) == small.frames
        container.seek(0)
        samples = sum(frame.samples for frame in container.decode(heard))
        assert samples / RATE == pytest.approx(10, abs=0.1)
    assert {path.suffix for path in tmp_path.iterdir()} == {".mp4"}


class TestScores:
    """Cuts to the frame, ranges by what they share, each match used once."""

    def test_a_cut_one_frame_off_is_wrong_twice(self) -> None:
        """Missed, and found where none is."""
        assert score([cut(11)], [cut(10)]) == Score(0, 1, 1)
        assert score([cut(11)], [cut(10)], within_frames=1) == Score(1, 0, 0)

    def test_a_dissolve_is_no_cut_and_needs_half_of_its_range(self) -> None:
        """The kind counts; so does where it lies."""
        assert score([cut(15)], [dissolve(10, 20)]).hits == 0
        assert score([dissolve(14, 24)], [dissolve(10, 20)]).hits == 1
        assert score([dissolve(18, 28)], [dissolve(10, 20)]).hits == 0

    def test_one_found_matches_one_true(self) -> None:
        """A detector cannot be right twice with one answer."""
        assert score([cut(10)], [cut(10), cut(11)], within_frames=2) == Score(1, 0, 1)

    @given(st.lists(st.integers(0, 500), unique=True))
    def test_the_truth_is_always_right(self, frames: list[int]) -> None:
        """F1 is 1 for what is exactly right, and 0 for nothing found of something."""
        cuts = [cut(frame) for frame in frames]
        assert score(cuts, cuts).f1 == 1.0
        assert score([], cuts).f1 == (0.0 if cuts else 1.0)


class TestRuns:
    """Processor time and memory of the tree, and of nobody else."""

    def test_a_grandchild_is_counted(self) -> None:
        """Its processor time and its memory are those of the command."""
        work = "x = bytearray(150_000_000); [i * i for i in range(3_000_000)]"
        nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
        run = run_one([sys.executable, "-c", nested], Clock(LONG))
        assert run.peak_mb > 150
        assert run.cpu_seconds > 0.05
        assert run.wall_seconds > 0

    def test_our_own_memory_is_not_counted(self) -> None:
        """Linux would count it as the command's peak if we started the command ourselves."""
        ours = bytearray(300_000_000)
        run = run_one([sys.executable, "-c", "print('x')"], Clock(LONG))
        assert run.peak_mb < 100
        assert run.output == "x\n"
        assert ours

    def test_a_command_that_fails_makes_its_figure_unavailable(self) -> None:
        """With what it said."""
        with pytest.raises(Unavailable, match="broken pipe dream"):
            run_one([sys.executable, "-c", "raise SystemExit('broken pipe dream')"], Clock(LONG))

    def test_a_command_that_is_not_there_is_no_traceback_of_ours(self) -> None:
        """A tool that is missing is a reason."""
        with pytest.raises(Unavailable, match="failed"):
            run_one(["no-such-program-anywhere"], Clock(LONG))

    def test_nothing_outlives_the_clock(self, tmp_path: Path) -> None:
        """All that was started together is ended together."""
        late = f"import time; time.sleep(3); open({str(tmp_path / 'late')!r}, 'w')"
        with pytest.raises(Unavailable, match="time was up"):
            run_together([[sys.executable, "-c", late]] * 2, Clock(0.5))
        assert not [*tmp_path.iterdir()]


class TestFigures:
    """Ratios of pairs, the worse ad counts, no number without a measurement."""

    def test_a_ratio_is_the_median_of_pairs_on_the_worse_clip(self) -> None:
        """One odd pair changes nothing."""
        lab = quiet_lab()
        lab.pairs["analysis"]["a"] = [Pair(took(2), took(c)) for c in (2.0, 2.2, 40.0)]
        lab.pairs["analysis"]["b"] = [Pair(took(10), took(9))]
        result = work_out(figure("analysis_wall_vs_decode"), lab, None)
        assert (result.value, result.met) == (1.0, True)
        ratio = figures.ratio("analysis", "cpu_seconds")
        told = work_out(Figure("x", 1.0, "lower", "analysis", ratio), lab, None)
        assert told.by_clip == {"a": 1.1, "b": 0.9}
        assert (told.value, told.met) == (1.1, False)

    @pytest.mark.parametrize("name", [f.name for f in FIGURES])
    def test_what_was_not_measured_is_null_with_a_reason(self, name: str) -> None:
        """Never a number, never a verdict."""
        result = work_out(figure(name), empty_lab(), None)
        assert result.met is None
        told = result.as_json()
        assert told["value"] is None
        assert told["reason"]
        assert told["better"] in ("lower", "higher")
        assert told["goal"] > 0

    def test_a_failed_experiment_gives_its_reason(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And does not hinder the others; later rounds leave it alone."""
        calls: list[str] = []

        def broken(lab: Lab) -> None:
            calls.append("broken")
            raise Unavailable("no such tool")

        def fine(lab: Lab) -> None:
            calls.append("fine")
            lab.starts.append(0.25)

        table = {"chain": Experiment(broken, 3), "start": Experiment(fine, 2)}
        monkeypatch.setattr(figures, "EXPERIMENTS", table)
        chosen = [figure("analysis_vs_chain"), figure("start_seconds")]
        chain, start = measure(chosen, quiet_lab())
        assert calls == ["broken", "fine", "fine"]
        assert (chain.value, chain.reason) == (None, "no such tool")
        assert (start.value, start.rounds) == (0.25, 2)

    def test_no_round_begins_when_the_time_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The five minutes hold."""
        never = Experiment(lambda lab: pytest.fail("was run"), 5)
        monkeypatch.setattr(figures, "EXPERIMENTS", {"start": never})
        (start,) = measure([figure("start_seconds")], quiet_lab(0.0))
        assert start.value is None


def figure(name: str) -> Figure:
    """A figure of the table by its name."""
    return next(one for one in FIGURES if one.name == name)


def empty_lab() -> Lab:
    """A lab with clips that nobody has to compose, and no runs."""
    lab = quiet_lab()
    lab.__dict__["clips"] = []
    return lab


def test_without_the_index_peers_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tools cannot be installed: a reason, and no command."""
    wanted = tmp_path / "bench.txt"
    # Without a hash pip refuses at once, and asks no index.
    wanted.write_text("no-such-package-of-ours==1\n")
    monkeypatch.setattr(peers, "REQUIREMENTS", wanted)
    there = peers.Peers(Clock(30), lambda what: None, tmp_path / "venv")
    with pytest.raises(Unavailable, match="could not be installed"):
        there.tool("scenes", tmp_path / "ad.mp4")


class TestTable:
    """docs/benchmarks.md keeps every run, and never the name of a machine."""

    page = f"# Runs\n\n{regression.BEGIN}\n{regression.END}\n\nAfter.\n"

    def write(self, page: Path, monkeypatch: pytest.MonkeyPatch, **values: Any) -> list[Any]:
        """Write one run of some figures, read the table back."""
        monkeypatch.setattr(regression, "commit", lambda: values.pop("commit", "abc1234"))
        name = next(iter(values))
        result = figures.Result(figure(name), values[name], 1.0)
        regression.write_row([result], datetime(2026, 11, 21, tzinfo=UTC), page)
        return regression.read(regression.split(page.read_text())[1])

    def test_a_run_of_the_same_commit_is_replaced(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another commit is another row; figures of other runs stay."""
        page = tmp_path / "benchmarks.md"
        page.write_text(self.page)
        self.write(page, monkeypatch, peak_mb=100.5)
        self.write(page, monkeypatch, peak_mb=90.25)
        rows = self.write(page, monkeypatch, start_seconds=None)
        assert [row["date"] for row in rows] == ["goal", "2026-11-21"]
        assert (rows[1]["peak_mb"], rows[1]["start_seconds"]) == ("90.25", "-")
        rows = self.write(page, monkeypatch, start_seconds=0.5, commit="def5678")
        assert [row["commit"] for row in rows] == ["-", "abc1234", "def5678"]
        assert page.read_text().endswith("\n\nAfter.\n")

    def test_the_page_of_the_repository_can_be_written(self) -> None:
        """Its marks are there, and it explains every figure."""
        text = regression.PAGE.read_text()
        regression.read(regression.split(text)[1])
        assert [f.name for f in FIGURES if f"| `{f.name}` |" not in text] == []

    def test_the_machine_is_its_processor(self) -> None:
        """A model and a number of cores."""
        assert regression.machine().endswith("cores")


class TestVerb:
    """What a user types and gets."""

    @pytest.fixture
    def call(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
        """The verb, with figures that are worked out at once."""

        def at_once(chosen: list[Figure], lab: Lab) -> list[figures.Result]:
            return [
                figures.Result(f, None if f.name == "peak_mb" else 0.5, f.goal, "no reason")
                for f in chosen
            ]

        monkeypatch.setattr(verb, "measure", at_once)
        return lambda *words: CliRunner().invoke(gv, ["bench", *words])

    def test_json_is_one_object_with_a_goal_for_every_figure(self, call: Any) -> None:
        """The names that the issue lists, and null with a reason where there is no value."""
        told = json.loads(call("--json").stdout)
        assert [*told] == [f.name for f in FIGURES]
        assert told["peak_mb"] == {
            "value": None,
            "goal": 300,
            "better": "lower",
            "reason": "no reason",
        }
        assert told["start_seconds"] == {"value": 0.5, "goal": 0.6, "better": "lower"}

    def test_only_picks_by_a_word(self, call: Any) -> None:
        """And an unknown word lists the names."""
        assert [*json.loads(call("--json", "--only", "preview").stdout)] == [
            "preview_cpu_vs_decode",
            "preview_transitions_f1",
            "preview_seconds",
        ]
        unknown = call("--only", "speed")
        assert unknown.exit_code == 2
        assert "peak_mb" in unknown.stderr

    def test_people_see_goals_and_verdicts(self, call: Any) -> None:
        """A table."""
        shown = call("--only", "_f1").stdout
        assert "transitions_f1" in shown
        assert "missed" in shown
