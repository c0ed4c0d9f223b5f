"""The timeline picture: shots, motion, faces, speech and beats over time, as an SVG drawing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor

from shared.models import Analysis, FaceSample, MotionMoment, Transition

WIDTH, HEIGHT = 1200, 452
LEFT, RIGHT = 92, 1176
HOOK_SECONDS = 3.0
MAX_NAME = 80
AXIS_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120)
MOST_AXIS_MARKS = 14
MIN_NUMBER_PIXELS = 22
MOTION_HEADROOM = 1.8

# Rows: where each begins and how high it is.
SHOTS, MOTION, FACES, SPEECH, BEATS = (92, 34), (146, 96), (262, 20), (300, 20), (338, 22)
AXIS = 372
LEGEND = 410
LEGEND_LINE = 22

STYLE = """
  svg{--ink:#1d2733;--soft:#66717f;--grid:#e3e7ec;--paper:#fff;--shot:#cfd8e3;--shot2:#e4e9f0;
    --blend:#8e5bd0;--move:#2f6fd0;--face:#d98a13;--voice:#23925a;--beat:#cf3f36;--hook:#fff3d9}
  @media (prefers-color-scheme:dark){svg{--ink:#e8edf3;--soft:#9aa6b4;--grid:#2c3642;
    --paper:#161c23;--shot:#3d4b5c;--shot2:#2d3947;--blend:#b48cf0;--move:#6fa3f2;--face:#f0ae4a;
    --voice:#4cc488;--beat:#f0736b;--hook:#2b2617}}
  text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--soft)}
  .title{font-size:17px;font-weight:600;fill:var(--ink)} .row{fill:var(--ink);text-anchor:end}
  .end{text-anchor:end} .mid{text-anchor:middle} .small{font-size:10px} .none{font-style:italic}
"""


@dataclass(frozen=True)
class Scale:
    """Seconds to pixels."""

    first: float
    last: float

    def x(self, at_seconds: float) -> float:
        """The place of a time, kept within the drawing."""
        share = (at_seconds - self.first) / max(1e-6, self.last - self.first)
        return round(LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share)), 2)


def draw_timeline(report: Analysis, name: str) -> str:
    """The drawing as SVG text; `name` comes from outside and is only ever shown as text."""
    first = report.shots[0].start_seconds if report.shots else 0.0
    scale = Scale(first, first + max(1e-3, report.media.duration_seconds))
    parts = [
        *_head(report, name),
        *_hook_zone(scale),
        *_axis(scale),
        *_shots(report, scale),
        *_motion(report.motion_moments, scale),
        *_faces(report, scale),
        *_speech(report, scale),
        *_beats(report, scale),
        *_legend(),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" '
        'aria-label="shots, motion, faces, speech and beats over time">'
        f"<style>{STYLE}</style>" + "".join(parts) + "</svg>\n"
    )


def text_of(words: str) -> str:
    """Words from outside as SVG text: escaped, without control characters, not too long."""
    plain = "".join(c for c in words if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF)
    return escape(plain if len(plain) <= MAX_NAME else plain[: MAX_NAME - 1] + "…")


def _text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{text_of(words)}</text>'


def _box(x: float, y: float, size: tuple[float, float], fill: str, more: str = "") -> str:
    width, height = size
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{max(0.0, width):g}" height="{height:g}" '
        f'style="fill:var(--{fill})" {more}/>'
    )


def _line(x: float, top: float, bottom: float, stroke: str, width: float = 1) -> str:
    return (
        f'<path d="M{x:g} {top:g}V{bottom:g}" '
        f'style="stroke:var(--{stroke});stroke-width:{width:g}"/>'
    )


def _head(report: Analysis, name: str) -> Iterator[str]:
    media, hook = report.media, report.hook
    soft = len(report.transitions) - len(report.cuts)
    facts = [
        f"{media.duration_seconds:.1f} s",
        f"{media.width}×{media.height}",
        _count(len(report.shots), "shot"),
        _count(len(report.cuts), "cut"),
        _count(soft, "gradual transition"),
        f"hook {hook.hook_score:.2f} of 1",
    ]
    yield _box(0, 0, (WIDTH, HEIGHT), "paper")
    yield _text(24, 34, name or "video", "title")
    yield _text(24, 56, " · ".join(facts))


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _hook_zone(scale: Scale) -> Iterator[str]:
    right = scale.x(scale.first + HOOK_SECONDS)
    yield _box(LEFT, SHOTS[0] - 18, (right - LEFT, AXIS - SHOTS[0] + 18), "hook")
    yield _text(LEFT + 5, SHOTS[0] - 6, "hook", "small")


def axis_step(seconds: float) -> float:
    """The first step that gives at most 14 marks."""
    return next((step for step in AXIS_STEPS if seconds / step <= MOST_AXIS_MARKS), 300.0)


def _axis(scale: Scale) -> Iterator[str]:
    span = scale.last - scale.first
    step = axis_step(span)
    for i in range(floor(span / step + 1e-9) + 1):
        x = scale.x(scale.first + i * step)
        yield _line(x, SHOTS[0], AXIS, "grid")
        yield _text(x, AXIS + 15, _mark(i * step), "mid")
    yield f'<path d="M{LEFT} {AXIS}H{RIGHT}" style="stroke:var(--soft)"/>'


def _mark(seconds: float) -> str:
    if seconds >= 60:
        return f"{int(seconds // 60)}:{round(seconds % 60):02d}"
    return f"{round(seconds, 2):g} s"


def _row(place: tuple[int, int], words: str) -> str:
    return _text(LEFT - 10, place[0] + place[1] / 2 + 4, words, "row")


def _nothing(place: tuple[int, int], words: str) -> str:
    return _text(LEFT + 6, place[0] + place[1] / 2 + 4, words, "none")


def _shots(report: Analysis, scale: Scale) -> Iterator[str]:
    top, height = SHOTS
    yield _row(SHOTS, "shots")
    for number, shot in enumerate(report.shots):
        left, right = scale.x(shot.start_seconds), scale.x(shot.end_seconds)
        yield _box(left, top, (right - left, height), "shot2" if number % 2 else "shot")
        if right - left >= MIN_NUMBER_PIXELS:
            yield _text((left + right) / 2, top + height / 2 + 4, str(number + 1), "mid")
    at = FrameTimes(report)
    for transition in report.transitions:
        yield _transition(transition, at, scale)


def _transition(transition: Transition, at: "FrameTimes", scale: Scale) -> str:
    """A cut as a line, a gradual transition as the stretch that it takes."""
    top, height = SHOTS
    left, right = scale.x(at(transition.start_frame)), scale.x(at(transition.end_frame))
    if transition.kind == "cut":
        return _line(left, top - 4, top + height + 4, "ink", 1.5)
    return (
        f'<g opacity=".75"><title>{text_of(transition.kind)}</title>'
        + _box(left, top, (max(2.0, right - left), height), "blend")
        + "</g>"
    )


class FrameTimes:
    """When a frame is shown, between the times that the windows of a report tell."""

    def __init__(self, report: Analysis) -> None:
        known = {m.frame_start: m.timestamp_start for m in report.motion_moments}
        known |= {m.frame_end: m.timestamp_end for m in report.motion_moments}
        known |= {s.start_frame: s.start_seconds for s in report.shots}
        self._known = sorted(known.items())

    def __call__(self, frame: int) -> float:
        """Seconds; exact at the edges of shots and windows, straight between them."""
        before = max((k for k in self._known if k[0] <= frame), default=(0, 0.0))
        after = min((k for k in self._known if k[0] >= frame), default=before)
        if after[0] == before[0]:
            return before[1]
        share = (frame - before[0]) / (after[0] - before[0])
        return before[1] + share * (after[1] - before[1])


def _motion(moments: Sequence[MotionMoment], scale: Scale) -> Iterator[str]:
    """Steps of mean energy, a mark at each window's peak, and the scale of the energy."""
    top, height = MOTION
    yield _row(MOTION, "motion")
    # One violent frame must not press everything else flat: peaks above are drawn at the edge.
    most = MOTION_HEADROOM * max((m.motion_energy for m in moments), default=0.0)
    yield f'<path d="M{LEFT} {top + height}H{RIGHT}" style="stroke:var(--grid)"/>'
    if most <= 0:
        yield _nothing(MOTION, "nothing moves")
        return

    def y(energy: float) -> float:
        return round(top + height - height * min(1.0, energy / most), 2)

    steps = "".join(f"V{y(m.motion_energy):g}H{scale.x(m.timestamp_end):g}" for m in moments)
    yield (
        f'<path d="M{LEFT} {top + height}{steps}V{top + height}Z" '
        'style="fill:var(--move);fill-opacity:.28;stroke:var(--move)"/>'
    )
    for moment in moments:
        share = (moment.peak_frame - moment.frame_start) / (moment.frame_end - moment.frame_start)
        seconds = moment.timestamp_start + share * (moment.timestamp_end - moment.timestamp_start)
        yield _peak(scale.x(seconds), y(moment.peak_energy), moment.peak_energy > most)
    yield _text(LEFT - 10, top + 8, f"{most:.1f}", "end small")
    yield _text(LEFT - 10, top + height, "0", "end small")


def _peak(x: float, y: float, beyond: bool) -> str:
    """A dot, hollow when the peak is higher than the drawing."""
    fill = "paper" if beyond else "move"
    return f'<circle cx="{x:g}" cy="{y:g}" r="2.4" style="fill:var(--{fill});stroke:var(--move)"/>'


def _faces(report: Analysis, scale: Scale) -> Iterator[str]:
    top, height = FACES
    yield _row(FACES, "faces")
    samples = report.faces.samples
    if report.faces.share is None:
        yield _nothing(FACES, "not measured")
    elif not report.faces.max_count:
        yield _nothing(FACES, "none seen")
    for start, end, followed in face_runs(samples, scale.last):
        left, right = scale.x(start), scale.x(end)
        more = 'opacity=".45"' if followed else ""
        yield _box(left, top, (max(1.5, right - left), height), "face", more)


def face_runs(samples: Sequence[FaceSample], end: float) -> list[tuple[float, float, bool]]:
    """Stretches with a face from sample to sample: begin, end, and whether it was only followed."""
    runs: list[tuple[float, float, bool]] = []
    times = [s.at_seconds for s in samples] + [end]
    for sample, until in zip(samples, times[1:], strict=True):
        if not sample.boxes:
            continue
        followed = all(box.tracked for box in sample.boxes)
        if runs and runs[-1][1] == sample.at_seconds and runs[-1][2] == followed:
            runs[-1] = (runs[-1][0], until, followed)
        else:
            runs.append((sample.at_seconds, until, followed))
    return runs


def _speech(report: Analysis, scale: Scale) -> Iterator[str]:
    top, height = SPEECH
    yield _row(SPEECH, "speech")
    if not report.audio.speech:
        yield _nothing(SPEECH, _missing(report, "speech", "nobody speaks"))
    for part in report.audio.speech:
        left, right = scale.x(part.start_seconds), scale.x(part.end_seconds)
        yield _box(left, top, (max(1.5, right - left), height), "voice", 'rx="3"')


def _beats(report: Analysis, scale: Scale) -> Iterator[str]:
    """Short lines for beats, and dots for those events that fall on a cut or motion peak."""
    top, height = BEATS
    yield _row(BEATS, "beats")
    audio = report.audio
    if not audio.beats_seconds:
        yield _nothing(BEATS, _missing(report, "audio", "no steady beat"))
    dense = len(audio.beats_seconds) > (RIGHT - LEFT) / 3
    for at in audio.beats_seconds:
        yield _line(scale.x(at), top + 5, top + height, "beat", 0.5 if dense else 1.2)
    for at in audio.sync.sync_points:
        yield _ring(scale.x(at), top + 1)


def _missing(report: Analysis, analyser: str, otherwise: str) -> str:
    """Why a row is empty."""
    states = {a.name: (a.status, a.reason) for a in report.analysers}
    status, reason = states.get(analyser, ("ran", ""))
    return otherwise if status == "ran" else f"{status}: {reason}"


def _legend() -> Iterator[str]:
    """What the marks mean: one line for all, one for the motion."""
    y = LEGEND
    yield _line(LEFT + 3, y - 10, y + 2, "ink", 1.5) + _text(LEFT + 12, y, "cut")
    yield _swatch(70, "blend", ".75") + _text(LEFT + 90, y, "fade, dissolve or wipe")
    yield _swatch(262, "face", "1") + _text(LEFT + 282, y, "face seen")
    yield _swatch(382, "face", ".45") + _text(LEFT + 402, y, "face followed")
    yield _swatch(528, "voice", "1") + _text(LEFT + 548, y, "speech")
    yield _line(LEFT + 640, y - 10, y + 2, "beat", 1.2) + _text(LEFT + 650, y, "beat")
    yield _ring(LEFT + 722, y - 4) + _text(LEFT + 734, y, "beat or onset on a cut or motion peak")
    y += LEGEND_LINE
    yield _swatch(-2, "move", ".4", LEGEND_LINE)
    yield _text(LEFT + 18, y, "motion of each window, in thousandths of the diagonal per 1/30 s")
    yield _peak(LEFT + 464, y - 4, False) + _text(LEFT + 474, y, "its peak")
    yield _peak(LEFT + 556, y - 4, True) + _text(LEFT + 566, y, "a peak beyond the drawing")


def _swatch(x: float, fill: str, opacity: str, down: float = 0) -> str:
    return _box(LEFT + x, LEGEND - 10 + down, (12, 12), fill, f'opacity="{opacity}"')


def _ring(x: float, y: float) -> str:
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="3" '
        'style="fill:var(--paper);stroke:var(--beat);stroke-width:1.5"/>'
    )
