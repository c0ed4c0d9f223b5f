"""The sound's filter graph: clips' own sound, music that gives way to it, fades."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.render.frames import FramePlan, Part
from shared.domain.render.picture import source_words
from shared.domain.render.probe import SourceFacts
from shared.timeline_models import Music, Timeline

RATE = 48_000
FORM = "aformat=sample_fmts=fltp:channel_layouts=stereo"
# A cut in the middle of a wave clicks.
EDGE_SECONDS = 0.004
SLOWEST_TEMPO = 0.5
FASTEST_TEMPO = 2.0
READ_ON_SECONDS = 0.3
DUCK_RATIO = 20.0
# The key is driven to full scale, so that any voice above -40 dB brings the whole depth.
KEY_GAIN_DB = 40.0
DUCK_ATTACK_MS, DUCK_RELEASE_MS = 60, 500


@dataclass
class MixGraph:
    """The inputs and chains of the sound; `label` is where it comes out, `heard` what is in it."""

    inputs: list[str] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)
    count: int = 0
    heard: bool = False

    def add_input(self, words: list[str]) -> int:
        """Another input; returns its number."""
        self.inputs += words
        self.count += 1
        return self.count - 1


def mix_graph(
    timeline: Timeline,
    plan: FramePlan,
    links: Mapping[str, str],
    demuxers: Mapping[str, str],
    facts: Mapping[str, SourceFacts],
) -> MixGraph:
    """The graph whose `[mix]` is stereo at 48 kHz, exactly as long as the picture."""
    graph = MixGraph()
    for number, part in enumerate(plan.parts):
        _add_clip(graph, part, number, timeline.fps, links, facts)
    label = _join(graph, plan, timeline.fps)
    total = samples(plan.total, timeline.fps)
    graph.chains.append(f"[{label}]apad,atrim=end_sample={total}[voice]")
    if timeline.sound.music:
        _add_music(graph, timeline.sound.music, links, demuxers, total)
    else:
        graph.chains.append("[voice]anull[full]")
    graph.chains.append(f"[full]{_fades(timeline, total)}{FORM}[mix]")
    return graph


def samples(frames: int, fps: int) -> int:
    """Samples in so many frames."""
    return round(frames * RATE / fps)


def _add_clip(
    graph: MixGraph,
    part: Part,
    number: int,
    fps: int,
    links: Mapping[str, str],
    facts: Mapping[str, SourceFacts],
) -> None:
    clip = part.clip
    count = samples(part.first + part.frames, fps) - samples(part.first, fps)
    known = facts.get(clip.source) if clip.source else None
    if known is None or known.audio_stream is None or not clip.sound or clip.source is None:
        graph.chains.append(f"anullsrc=r={RATE}:cl=stereo,atrim=end_sample={count},{FORM}[a{number}]")
        return
    seconds = part.frames / fps * clip.speed + READ_ON_SECONDS
    inside = ["-seek_timestamp", "1", "-ss", f"{clip.start_seconds:.6f}", "-t", f"{seconds:.6f}"]
    words = source_words(links[clip.source], known.demuxer)
    index = graph.add_input([*inside, "-vn", "-sn", "-dn", *words])
    end = count / RATE - EDGE_SECONDS
    edges = f"afade=d={EDGE_SECONDS},afade=t=out:st={max(0.0, end):.6f}:d={EDGE_SECONDS}"
    graph.chains.append(
        f"[{index}:a:0]aresample={RATE}:async=1:first_pts=0,{FORM},{_tempo(clip.speed)}"
        f"apad,atrim=end_sample={count},asetpts=N/SR/TB,{edges}[a{number}]"
    )
    graph.heard = True


def _tempo(speed: float) -> str:
    """Filters that change the tempo and keep the pitch, each within what sounds well."""
    filters = ""
    while speed < SLOWEST_TEMPO:
        filters, speed = f"{filters}atempo={SLOWEST_TEMPO},", speed / SLOWEST_TEMPO
    while speed > FASTEST_TEMPO:
        filters, speed = f"{filters}atempo={FASTEST_TEMPO},", speed / FASTEST_TEMPO
    return filters if speed == 1.0 else f"{filters}atempo={speed:.6f},"


def _join(graph: MixGraph, plan: FramePlan, fps: int) -> str:
    label, run = "", [0]
    for number in range(1, len(plan.parts) + 1):
        if number < len(plan.parts) and not plan.parts[number].overlap:
            run.append(number)
            continue
        joined = f"a{run[0]}"
        if len(run) > 1:
            joined = f"j{run[0]}"
            inputs = "".join(f"[a{one}]" for one in run)
            graph.chains.append(f"{inputs}concat=n={len(run)}:v=0:a=1[{joined}]")
        if label:
            part = plan.parts[run[0]]
            over = samples(part.first + part.overlap, fps) - samples(part.first, fps)
            out = f"y{run[0]}"
            graph.chains.append(f"[{label}][{joined}]acrossfade=ns={over}:c1=qsin:c2=qsin[{out}]")
            label = out
        else:
            label = joined
        run = [number]
    return label


def _add_music(
    graph: MixGraph,
    music: Music,
    links: Mapping[str, str],
    demuxers: Mapping[str, str],
    total: int,
) -> None:
    words = source_words(links[music.source], demuxers[music.source])
    index = graph.add_input(["-stream_loop", "-1", "-vn", "-sn", "-dn", *words])
    begin = round(music.start_seconds * RATE)
    graph.chains.append(
        f"[{index}:a:0]aresample={RATE}:first_pts=0,{FORM},"
        f"atrim=start_sample={begin}:end_sample={begin + total},asetpts=N/SR/TB,"
        f"volume={music.gain_db:.3f}dB,apad,atrim=end_sample={total}[music]"
    )
    if graph.heard and music.duck_db > 0:
        graph.chains.append(f"[voice]asplit[said][key];{_duck(music.duck_db)}")
    else:
        graph.chains.append("[voice]anull[said];[music]anull[under]")
    graph.chains.append("[said][under]amix=inputs=2:duration=first:normalize=0[full]")
    graph.heard = True


def _duck(duck_db: float) -> str:
    """Music that sinks by `duck_db` under a voice: a compressor keyed by the saturated voice."""
    threshold = math.pow(10, -duck_db / (1 - 1 / DUCK_RATIO) / 20)
    return (
        f"[key]volume={KEY_GAIN_DB}dB,asoftclip=type=hard:threshold=1[sat];"
        f"[music][sat]sidechaincompress=threshold={max(threshold, 0.00098):.6f}:"
        f"ratio={DUCK_RATIO}:attack={DUCK_ATTACK_MS}:release={DUCK_RELEASE_MS}:"
        "detection=peak:knee=1[under]"
    )


def _fades(timeline: Timeline, total: int) -> str:
    sound = timeline.sound
    filters = f"afade=d={sound.fade_in_seconds:.3f}," if sound.fade_in_seconds else ""
    if sound.fade_out_seconds:
        begin = max(0.0, total / RATE - sound.fade_out_seconds)
        filters += f"afade=t=out:st={begin:.6f}:d={sound.fade_out_seconds:.3f},"
    return filters
