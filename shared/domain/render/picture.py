"""The picture's filter graph: every clip in its frame, joined, with logo and text on top."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.render.frames import FramePlan, Part, frame_range
from shared.domain.render.framing import QUICK, Canvas, frame_picture
from shared.domain.render.grading import grade_picture
from shared.domain.render.logo import DRAWN, logo_width
from shared.domain.render.probe import SourceFacts
from shared.timeline_models import Logo, Timeline, TimelineClip

# Our names of joins, as xfade calls them; a fade goes through black, for which it is not needed.
JOINS = {"dissolve": "fade", "wipe": "wipeleft", "slide": "slideleft"}
TO_SDR = (
    "zscale=pin=bt2020:min=bt2020nc:t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,"
    "tonemap=tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:r=limited,format=yuv420p"
)
TAGS = "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
READ_ON_SECONDS = 0.5
MANY_INPUTS = 4
# A preview needs neither the last of sharpness nor, of large pictures, every frame.
SKIP_FINE = ["-skip_loop_filter", "all"]
SKIP_FRAMES = ["-skip_frame", "noref"]
QUICK_MIN_PIXELS = 1280 * 720


@dataclass
class PictureGraph:
    """A graph under construction: inputs in order, and chains joined by semicolons."""

    timeline: Timeline
    plan: FramePlan
    canvas: Canvas
    inputs: list[list[str]] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)

    def add_input(self, words: list[str]) -> int:
        """Another input by its words; returns its number."""
        self.inputs.append(words)
        return len(self.inputs) - 1

    @property
    def text(self) -> str:
        """The graph as ffmpeg reads it from a file."""
        return ";\n".join(self.chains) + "\n"

    @property
    def words(self) -> list[str]:
        """All inputs' words for the command line."""
        return [word for words in self.inputs for word in words]


@dataclass(frozen=True)
class Material:
    """What the graph is drawn from: names in the work folder, and what is known of them."""

    links: Mapping[str, str]
    facts: Mapping[str, SourceFacts]
    demuxers: Mapping[str, str]
    text: str | None = None


def draw_graph(
    timeline: Timeline, plan: FramePlan, canvas: Canvas, material: Material
) -> PictureGraph:
    """The graph of a timeline on a canvas; its picture comes out as `[picture]`."""
    graph = PictureGraph(timeline, plan, canvas)
    for number, part in enumerate(plan.parts):
        _add_clip(graph, part, number, material)
    label = _join_parts(graph)
    if timeline.end_card and plan.card:
        graph.chains.append(f"{_colour(timeline.end_card.background, plan.card, canvas)}[card]")
        graph.chains.append(f"[{label}][card]concat=n=2:v=1:a=0[whole]")
        label = "whole"
    if timeline.logo:
        label = _add_logo(graph, timeline.logo, label)
    words = f"framestep={canvas.every}," if canvas.every > 1 else ""
    words += f"ass=filename={material.text}," if material.text else ""
    # What a source says of its light or its views beside the picture is no longer true of ours.
    graph.chains.append(f"[{label}]{words}format=yuv420p,sidedata=mode=delete,{TAGS}[picture]")
    return graph


def _add_clip(graph: PictureGraph, part: Part, number: int, material: Material) -> None:
    clip, canvas = part.clip, graph.canvas
    if clip.source is None:
        assert clip.color is not None
        graph.chains.append(f"{_colour(clip.color, part.frames, canvas)}[v{number}]")
        return
    facts = material.facts[clip.source]
    lead = min(facts.lead_seconds, max(0.0, clip.start_seconds - min(0.0, facts.start_seconds)))
    seconds = lead + part.frames / canvas.fps * clip.speed + READ_ON_SECONDS
    words = source_words(material.links[clip.source], facts.demuxer)
    start = clip.start_seconds - lead
    threads = ["-threads", "1"] if len(graph.plan.parts) > MANY_INPUTS else []
    if canvas.scaler == QUICK:
        large = facts.width * facts.height >= QUICK_MIN_PIXELS
        threads += SKIP_FINE + (SKIP_FRAMES if large else [])
    # A file that is read from its start is not searched: its index may be broken.
    found = start > 0 or facts.start_seconds != 0
    seek = ["-seek_timestamp", "1", "-ss", f"{start:.6f}"] if found else []
    index = graph.add_input([*threads, *seek, "-t", f"{seconds:.6f}", "-an", "-sn", "-dn", *words])
    chain = (
        f"setpts=(PTS-{lead:.6f}/TB)/{clip.speed:.6f},"
        f"fps={canvas.fps}:start_time=0,tpad=stop=-1:stop_mode=clone,"
        f"trim=end_frame={part.frames},settb=1/{canvas.fps},"
        f"{_framed(clip, facts, canvas)},setsar=1,format=yuv420p,"
        f"{grade_picture(graph.timeline.grade)}{TAGS}"
    ).replace("@", f"v{number}")
    graph.chains.append(f"[{index}:v:0]{chain}[v{number}]")


def _framed(clip: TimelineClip, facts: SourceFacts, canvas: Canvas) -> str:
    """The clip's picture at the canvas's size, deinterlaced and of standard range."""
    whole = "bwdif=mode=send_frame:deint=interlaced," if facts.interlaced else ""
    framed = frame_picture(clip, facts, canvas)
    if not facts.hdr:
        return f"{whole}{framed}"
    # Tones are cheaper to map on the small picture; laying over knows only eight bits.
    return f"{whole}{TO_SDR},{framed}" if clip.fit == "blur" else f"{whole}{framed},{TO_SDR}"


def source_words(link: str, demuxer: str) -> list[str]:
    """How ffmpeg opens one of our links: with this demuxer, and nothing that the file names."""
    return ["-protocol_whitelist", "file,pipe", "-f", demuxer, "-i", f"file:{link}"]


def _colour(colour: str, frames: int, canvas: Canvas) -> str:
    """A plain colour: one picture, converted once and repeated."""
    return (
        f"color=c=0x{colour[1:]}:s={canvas.width}x{canvas.height}:r={canvas.fps},"
        f"trim=end_frame=1,format=gbrp,scale=out_color_matrix=bt709:out_range=limited,"
        f"format=yuv420p,loop=loop={frames - 1}:size=1,settb=1/{canvas.fps},setpts=N,setsar=1,"
        f"{TAGS}"
    )


def _join_parts(graph: PictureGraph) -> str:
    """Concatenates runs of hard cuts, and lays each run over the one before where it overlaps."""
    parts = graph.plan.parts
    label, length, run = "", 0, [0]
    for number in range(1, len(parts) + 1):
        if number < len(parts) and not parts[number].overlap:
            run.append(number)
            continue
        joined = _concat(graph, run)
        first = parts[run[0]]
        frames = sum(parts[one].frames for one in run)
        if label:
            label = _overlap(graph, (label, joined), first, length)
            length += frames - first.overlap
        else:
            label, length = joined, frames
        run = [number]
    return label


def _overlap(graph: PictureGraph, labels: tuple[str, str], part: Part, length: int) -> str:
    """Brings a part in over the `length` frames before it; returns the new label."""
    assert part.clip.transition is not None
    (before, after), fps, over = labels, graph.canvas.fps, part.overlap
    kind, out = part.clip.transition.kind, f"x{part.index}"
    if kind == "fade":
        sinking, rising = over // 2, over - over // 2
        end = length - rising
        graph.chains += [
            f"[{before}]trim=end_frame={end},"
            f"fade=t=out:start_frame={end - sinking}:nb_frames={max(1, sinking)}[{out}a]",
            f"[{after}]trim=start_frame={sinking},setpts=PTS-STARTPTS,"
            f"fade=t=in:start_frame=0:nb_frames={rising}[{out}b]",
            f"[{out}a][{out}b]concat=n=2:v=1:a=0,settb=1/{fps}[{out}]",
        ]
        return out
    graph.chains.append(
        f"[{before}][{after}]xfade=transition={JOINS[kind]}:duration={over / fps:.6f}:"
        f"offset={(length - over) / fps:.6f},{TAGS}[{out}]"
    )
    return out


def _concat(graph: PictureGraph, run: list[int]) -> str:
    if len(run) == 1:
        return f"v{run[0]}"
    inputs = "".join(f"[v{number}]" for number in run)
    graph.chains.append(
        f"{inputs}concat=n={len(run)}:v=1:a=0,settb=1/{graph.canvas.fps}[c{run[0]}]"
    )
    return f"c{run[0]}"


def _add_logo(graph: PictureGraph, logo: Logo, label: str) -> str:
    canvas = graph.canvas
    index = graph.add_input(source_words(DRAWN, "png_pipe"))
    width = logo_width(logo, canvas.width)
    first, end = frame_range(logo.start_seconds, logo.end_seconds, canvas.fps)
    graph.chains.append(
        f"[{index}:v:0]trim=end_frame=1,format=rgba,scale={width}:-1:flags=bicubic:"
        f"out_color_matrix=bt709:out_range=limited,format=yuva420p[logo]"
    )
    graph.chains.append(
        f"[{label}][logo]overlay={round(logo.left * canvas.width)}:"
        f"{round(logo.top * canvas.height)}:format=yuv420:"
        f"enable='between(n,{first},{end - 1})'[marked]"
    )
    return "marked"
