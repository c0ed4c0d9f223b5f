"""What is run to measure: each experiment is one round of runs, repeated while there is time."""

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.bench.compose import Clip, compose_clips, tiny_clip
from scripts.bench.peers import Peers
from scripts.bench.processes import Clock, Command, Run, Unavailable, run_one, run_together
from scripts.bench.rendering import plain_words
from scripts.stages import ROOT
from shared.config import read_settings

GV = ROOT / "scripts" / "gv"
COLD = ROOT / "scripts" / "bench" / "cold.py"
DAWN = "2000-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Pair:
    """Two runs one right after the other, of which only the ratio counts."""

    theirs: Run
    ours: Run


class Lab:
    """The clips, the commands and what was measured so far."""

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self.clock, self.say = clock, say
        self.pairs: dict[str, dict[str, list[Pair]]] = defaultdict(lambda: defaultdict(list))
        self.rounds: Counter[str] = Counter()
        self.starts: list[float] = []
        self.throughputs: list[float] = []
        self.renders: list[dict[str, float]] = []

    @cached_property
    def clips(self) -> list[Clip]:
        """The composed ads, the 30 s one first."""
        return compose_clips(self.clock, self.say)

    @cached_property
    def peers(self) -> Peers:
        """Other people's tools."""
        return Peers(self.clock, self.say)

    @cached_property
    def ffmpeg(self) -> Path:
        """The program that decodes for comparison; raises Unavailable."""
        return self.peers.ffmpeg()

    def pair(self, experiment: str, clip: Clip, theirs: Command, ours: Command) -> None:
        """Run theirs, then ours, and keep both."""
        self.say(f"{experiment}, {clip.edit.name}")
        pair = Pair(run_one(theirs, self.clock), run_one(ours, self.clock))
        self.pairs[experiment][clip.edit.name].append(pair)

    def reports(self, experiment: str) -> list[tuple[Clip, dict[str, Any]]]:
        """The newest report on each clip that our runs of an experiment printed."""
        kept = self.pairs[experiment]
        return [
            (clip, json.loads(kept[clip.edit.name][-1].ours.output))
            for clip in self.clips
            if clip.edit.name in kept
        ]


def analyze(video: Path, *words: str) -> Command:
    """What a user types."""
    return [GV, "analyze", video, "--json", *words]


def decode(lab: Lab, video: Path) -> Command:
    """The yardstick: decode every frame, and nothing else."""
    return [lab.ffmpeg, "-nostdin", "-v", "error", "-i", video, "-map", "0:v", "-f", "null", "-"]


def whole_analysis(lab: Lab) -> None:
    """Decoding against the whole analysis, on each ad."""
    for clip in lab.clips:
        lab.pair("analysis", clip, decode(lab, clip.path), analyze(clip.path))


def preview(lab: Lab) -> None:
    """Decoding against the preview, on each ad."""
    if "--preview" not in run_one([GV, "analyze", "--help"], lab.clock).output:
        raise Unavailable("`gv analyze` of this version has no --preview")
    for clip in lab.clips:
        lab.pair("preview", clip, decode(lab, clip.path), analyze(clip.path, "--preview"))


def scenes_alone(lab: Lab) -> None:
    """PySceneDetect alone against the whole analysis."""
    clip = lab.clips[0]
    lab.pair("scenes", clip, lab.peers.tool("scenes", clip.path), analyze(clip.path))


def whole_chain(lab: Lab) -> None:
    """One tool for each question against the whole analysis."""
    clip = lab.clips[0]
    lab.pair("chain", clip, lab.peers.tool("chain", clip.path), analyze(clip.path))


def sound(lab: Lab) -> None:
    """librosa against our worker on the same sound; both start cold."""
    for clip in lab.clips:
        theirs = lab.peers.tool("sound", clip.sound)
        task = {
            "do": "analyze",
            "path": str(clip.sound),
            "demuxer": "mov",
            "limits": read_settings().limits.model_dump(),
            "video_id": "bench",
            "extracted_at": DAWN,
            "preview": False,
            "pictures": False,
        }
        paths = ":".join(entry for entry in sys.path if entry)
        ours: Command = [sys.executable, "-I", "-S", COLD, json.dumps(task), paths]
        lab.pair("sound", clip, theirs, ours)


def start(lab: Lab) -> None:
    """A clip with next to nothing in it: what is left are interpreters and imports."""
    lab.say("start")
    took = run_one(analyze(tiny_clip()), lab.clock)
    worked = sum(part["seconds"] for part in json.loads(took.output)["analysers"])
    lab.starts.append(took.wall_seconds - worked)


def two_at_once(lab: Lab) -> None:
    """Two analyses one after the other, then two at the same time."""
    lab.say("two at once")
    command = analyze(lab.clips[0].path)
    alone = [run_one(command, lab.clock).wall_seconds for _ in range(2)]
    together = [run.wall_seconds for run in run_together([command, command], lab.clock)]
    lab.throughputs.append(sum(alone) / max(together))


def inference(lab: Lab) -> None:
    """Decoding against the heavy inference, on each ad; all of it and its reading of text."""
    for clip in lab.clips:
        lab.pair("inference", clip, decode(lab, clip.path), analyze(clip.path, "--full"))


def render(lab: Lab) -> None:
    """The plainest encode, the same length rendered, and rendered with a preview first."""
    clip = lab.clips[-1]
    with tempfile.TemporaryDirectory() as folder:
        plain: Command = [lab.ffmpeg, *plain_words(clip.path, Path(folder) / "plain.mp4")]
        ours: Command = [sys.executable, "-m", "scripts.bench.rendering", clip.path]
        lab.pair("render", clip, plain, [*ours, "plain", Path(folder) / "ours"])
        lab.say(f"render with preview, {clip.edit.name}")
        whole = run_one([*ours, "preview", Path(folder) / "whole"], lab.clock)
        lab.renders.append(json.loads(whole.output))


@dataclass(frozen=True)
class Experiment:
    """One round of runs, and how many rounds are wanted at most."""

    one_round: Callable[[Lab], None]
    rounds: int


# In the order of the first round: what is most wanted and quickest first.
EXPERIMENTS = {
    "analysis": Experiment(whole_analysis, 4),
    "preview": Experiment(preview, 3),
    "start": Experiment(start, 5),
    "sound": Experiment(sound, 3),
    "scenes": Experiment(scenes_alone, 3),
    "two": Experiment(two_at_once, 2),
    "chain": Experiment(whole_chain, 1),
    "inference": Experiment(inference, 2),
    "render": Experiment(render, 3),
}
