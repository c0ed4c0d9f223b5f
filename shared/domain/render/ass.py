"""Writes Advanced SubStation documents, in which every text is literal."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.render.fonts import Run

# Between a backslash and what follows: invisible, and no tag of libass starts with it.
JOINER = "\u2060"
HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Plain,Noto Sans,20,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,\
-1,0,0,0,100,100,0,0,1,0,0,5,0,0,0,-1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True)
class Event:
    """Something drawn from frame `first` until before `end`; `body` is tags and escaped text."""

    layer: int
    first: int
    end: int
    body: str


def write_document(events: Iterable[Event], size: tuple[int, int], fps: int) -> str:
    """The whole document for a picture of `size` in pixels."""
    lines = [
        f"Dialogue: {event.layer},{_time(event.first, fps)},{_time(event.end, fps)},"
        f"Plain,,0,0,0,,{event.body}"
        for event in events
        if event.end > event.first
    ]
    return HEAD.format(width=size[0], height=size[1]) + "\n".join(lines) + "\n"


def _time(frame: int, fps: int) -> str:
    """A time between this frame and the one before, as ASS counts only hundredths of a second."""
    hundredths = max(0, int((frame - 0.5) / fps * 100 + 0.5))
    seconds, hundredths = divmod(hundredths, 100)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{hundredths:02}"


def escape(text: str) -> str:
    """Text that libass draws as it stands: no tag, no line break, no space of its own."""
    safe = "".join(" " if char in "\n\r\t\v\f\x00\x85\u2028\u2029" else char for char in text)
    return safe.replace("\\", "\\" + JOINER).replace("{", "\\{").replace("}", "\\}")


def style_runs(runs: Iterable[Run], em: float) -> str:
    """Escaped text in which each run names its font, at `em` pixels an em."""
    return "".join(
        f"{{\\fn{run.font.family}\\b{int(run.font.bold)}\\fs{em * run.font.line_height:.3f}}}"
        f"{escape(run.text)}"
        for run in runs
    )


def colour(value: str) -> str:
    """`#RRGGBB` as ASS writes it, blue first."""
    return f"&H{value[5:7]}{value[3:5]}{value[1:3]}&".upper()


def box(left: float, top: float, width: float, height: float, radius: float = 0.0) -> str:
    """A filled rectangle with round corners, as drawing commands; pixels."""
    r = min(radius, width / 2, height / 2)
    # The usual approximation of a quarter of a circle by one cubic curve.
    k = r * (1 - 0.5522847498)
    w, h = width, height
    path = (
        f"m {r:.1f} 0 l {w - r:.1f} 0 b {w - k:.1f} 0 {w:.1f} {k:.1f} {w:.1f} {r:.1f} "
        f"l {w:.1f} {h - r:.1f} b {w:.1f} {h - k:.1f} {w - k:.1f} {h:.1f} {w - r:.1f} {h:.1f} "
        f"l {r:.1f} {h:.1f} b {k:.1f} {h:.1f} 0 {h - k:.1f} 0 {h - r:.1f} "
        f"l 0 {r:.1f} b 0 {k:.1f} {k:.1f} 0 {r:.1f} 0"
    )
    return f"{{\\an7\\pos({left:.1f},{top:.1f})\\bord0\\shad0\\p1}}{path}{{\\p0}}"
