"""Which part of a source's picture is shown, and how it fills the output."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.render.expressions import Key, expression_over_time
from shared.domain.render.probe import SourceFacts
from shared.domain.render.refusals import SourceUnreadable
from shared.timeline_models import CropKey, TimelineClip

FINE, QUICK = "bicubic", "fast_bilinear"
SAME_SIZE = 0.005
SAME_ASPECT = 0.01
BLUR_SHRINK = 8
BLUR_RADIUS = 4
MIN_SIDE = 2


@dataclass(frozen=True)
class Canvas:
    """What is drawn on: size in pixels, rate, how sizes are changed, each how many-th frame."""

    width: int
    height: int
    fps: int
    scaler: str = FINE
    every: int = 1


@dataclass(frozen=True)
class Window:
    """Where the picture is cut out at one moment of the clip's own clock, in source pixels."""

    at_seconds: float
    left: float
    top: float
    width: float
    height: float


def frame_picture(clip: TimelineClip, facts: SourceFacts, canvas: Canvas) -> str:
    """Filters from the source's picture to one of the canvas's size, after `fps`."""
    windows = windows_of(clip, facts, canvas)
    if clip.fit == "crop":
        return _cover(windows, facts, canvas)
    shown = _cut(windows, facts)
    first = windows[0]
    width, height = _inside(first.width * facts.sample_aspect, first.height, canvas)
    scale = scale_to(width, height, facts, canvas)
    left, top = _even((canvas.width - width) / 2), _even((canvas.height - height) / 2)
    if clip.fit == "pad":
        return f"{shown}{scale},pad={canvas.width}:{canvas.height}:{left}:{top}:black"
    return f"{shown}{_blur_fill(scale, canvas, facts, (left, top))}"


def windows_of(clip: TimelineClip, facts: SourceFacts, canvas: Canvas) -> list[Window]:
    """The crop's keys in pixels and on the clip's clock; without keys all, or the middle of it."""
    whole = CropKey(at_seconds=clip.start_seconds, left=0, top=0, width=1, height=1)
    keys = sorted(clip.crop, key=lambda key: key.at_seconds) or [whole]
    found = [_window(key, clip, facts) for key in keys]
    return [_as_wide(one, facts, canvas) for one in found] if clip.fit == "crop" else found


def _window(key: CropKey, clip: TimelineClip, facts: SourceFacts) -> Window:
    width = max(MIN_SIDE, min(1.0, key.width) * facts.width)
    height = max(MIN_SIDE, min(1.0, key.height) * facts.height)
    return Window(
        (key.at_seconds - clip.start_seconds) / clip.speed,
        min(key.left * facts.width, facts.width - width),
        min(key.top * facts.height, facts.height - height),
        width,
        height,
    )


def _as_wide(one: Window, facts: SourceFacts, canvas: Canvas) -> Window:
    """The largest part of a window that has the canvas's proportions, around its middle."""
    wanted = canvas.width / canvas.height / facts.sample_aspect
    if abs(one.width / one.height / wanted - 1) < SAME_ASPECT:
        return one
    width = min(one.width, one.height * wanted)
    height = min(one.height, one.width / wanted)
    return Window(
        one.at_seconds,
        one.left + (one.width - width) / 2,
        one.top + (one.height - height) / 2,
        max(MIN_SIDE, width),
        max(MIN_SIDE, height),
    )


def _cover(windows: Sequence[Window], facts: SourceFacts, canvas: Canvas) -> str:
    if _steady(windows):
        return f"{_cut(windows, facts)}{scale_to(canvas.width, canvas.height, facts, canvas)}"
    # The window grows or shrinks: the whole picture is scaled so that it has the canvas's size.
    across, down = (
        f"{side}/({expression_over_time([(one.at_seconds, extent) for one, extent in extents])})"
        for side, extents in (
            (canvas.width, [(one, one.width) for one in windows]),
            (canvas.height, [(one, one.height) for one in windows]),
        )
    )
    left = expression_over_time([(one.at_seconds, one.left) for one in windows])
    top = expression_over_time([(one.at_seconds, one.top) for one in windows])
    scale = scale_to(
        f"'{_even_of(f'{facts.width}*{across}')}'",
        f"'{_even_of(f'{facts.height}*{down}')}'",
        facts,
        canvas,
    )
    places = f"'{_even_of(f'({left})*{across}')}':'{_even_of(f'({top})*{down}')}'"
    return f"{scale}:eval=frame,crop={canvas.width}:{canvas.height}:{places}"


def _steady(windows: Sequence[Window]) -> bool:
    """Whether the window keeps its size, so that it can be cut out before anything is scaled."""
    widths, heights = [one.width for one in windows], [one.height for one in windows]
    return (
        max(widths) - min(widths) <= SAME_SIZE * max(widths) + 1
        and max(heights) - min(heights) <= SAME_SIZE * max(heights) + 1
    )


def _cut(windows: Sequence[Window], facts: SourceFacts) -> str:
    """The crop filter, on even pixels as chroma asks for; nothing where all of it is shown."""
    first = windows[0]
    width = min(_even(first.width + 1), facts.width - facts.width % 2 or facts.width)
    height = min(_even(first.height + 1), facts.height - facts.height % 2 or facts.height)
    if width >= facts.width - 1 and height >= facts.height - 1:
        return ""
    lefts = _evened([(one.at_seconds, one.left) for one in windows])
    tops = _evened([(one.at_seconds, one.top) for one in windows])
    return f"crop={width}:{height}:'{lefts}':'{tops}',"


def _evened(keys: Sequence[Key]) -> str:
    return _even_of(expression_over_time(keys))


def _even_of(expression: str) -> str:
    return f"2*floor(({expression})/2+0.5)"


def _even(value: float) -> int:
    return max(0, 2 * int(value // 2))


def _inside(width: float, height: float, canvas: Canvas) -> tuple[int, int]:
    """The largest even size of these proportions inside the canvas."""
    zoom = min(canvas.width / width, canvas.height / height)
    found = (_even(width * zoom + 0.5), _even(height * zoom + 0.5))
    return max(MIN_SIDE, found[0]), max(MIN_SIDE, found[1])


def _blur_fill(scale: str, canvas: Canvas, facts: SourceFacts, at: tuple[int, int]) -> str:
    """The picture over itself, enlarged to fill and blurred: at an eighth of the size."""
    width = max(MIN_SIDE * 2, _even(canvas.width / BLUR_SHRINK))
    height = max(MIN_SIDE * 2, _even(canvas.height / BLUR_SHRINK))
    small = scale_to(width, height, facts, canvas)
    radius = max(1, min(BLUR_RADIUS, min(width, height) // 4 - 1))
    cover = (
        f"{small}:force_original_aspect_ratio=increase:force_divisible_by=2,"
        f"crop={width}:{height},boxblur={radius}:2:{max(1, radius // 2)}:2,"
        f"scale={canvas.width}:{canvas.height}:flags=bilinear,setsar=1"
    )
    return f"split[@a][@b];[@a]{cover}[@c];[@b]{scale}[@d];[@c][@d]overlay={at[0]}:{at[1]}"


def scale_to(width: int | str, height: int | str, facts: SourceFacts, canvas: Canvas) -> str:
    """The scale filter to a size in pixels (or expressions), into BT.709 of limited range."""
    if facts.width < MIN_SIDE or facts.height < MIN_SIDE:
        raise SourceUnreadable(f"a picture of {facts.width}x{facts.height} cannot be shown")
    scale = f"scale={width}:{height}:flags={canvas.scaler}"
    if facts.hdr:
        # The way to standard range, before or after, sets matrix and range.
        return scale
    if canvas.scaler == FINE and (facts.matrix_name != "bt709" or facts.full_range):
        # Between matrices the quick arithmetic is off by some steps of 255.
        scale += "+accurate_rnd+full_chroma_int"
    scale += ":out_color_matrix=bt709:out_range=limited"
    if facts.matrix_name is not None:
        extent = "full" if facts.full_range else "limited"
        scale += f":in_color_matrix={facts.matrix_name}:in_range={extent}"
    return scale
