"""The frames of a render are the ones that the timeline names, where and when it says."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.render.refusals import SourceMissing, SourceUnreadable, TimelineUnfit
from shared.timeline_models import CropKey, EndCard, Grade, Logo, TextOverlay, TransitionIn
from tests.support.renders import (
    colour_clip,
    cut,
    ffmpeg,
    media_facts,
    number_of,
    numbered,
    ramp,
    render,
    small,
    tone,
    write_source,
)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of numbered frames with sound; a key frame a second."""
    path = tmp_path_factory.mktemp("counter") / "counter.mp4"
    write_source(path, [numbered(n) for n in range(90)], wave=tone(3), options={"g": "30"})
    return path


@pytest.fixture(scope="module")
def slope(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a still picture in which colour tells the place."""
    path = tmp_path_factory.mktemp("slope") / "slope.mp4"
    write_source(path, [ramp((256, 144))] * 60)
    return path


SOURCE = {"width": 128, "height": 96, "fps": 30, "duration_seconds": 3, "has_audio": True}
COUNTER = {"a": {"path": "counter.mp4", **SOURCE}}
SLOPE = {"a": {**COUNTER["a"], "width": 256, "height": 144, "has_audio": False}}


def test_clips_show_exactly_their_frames_in_order(counter: Path, tmp_path: Path) -> None:
    """Ranges that begin between key frames, backwards in the source, and a plain colour."""
    clips = [cut("a", 2, 2.5), colour_clip(0.2, "#000000"), cut("a", 0.5, 1.0)]
    rendered, frames = render(small(clips, sources=COUNTER), {"a": counter}, tmp_path)
    assert [number_of(f) for f in frames] == [*range(60, 75), *[0] * 6, *range(15, 30)]
    assert (rendered.frames, rendered.seconds) == (36, 1.2)


@pytest.mark.parametrize(("speed", "step"), [(2.0, 2.0), (0.5, 0.5), (3.0, 3.0)])
def test_a_faster_clip_takes_fewer_frames(
    counter: Path, tmp_path: Path, speed: float, step: float
) -> None:
    """The frame at a moment is that of the source at speed times the moment."""
    clips = [cut("a", 1, 2.5, speed=speed)]
    rendered, frames = render(small(clips, sources=COUNTER), {"a": counter}, tmp_path)
    assert rendered.frames == round(1.5 / speed * 30)
    for index, frame in enumerate(frames):
        assert abs(number_of(frame) - (30 + index * step)) <= 1


def test_the_file_is_what_every_platform_plays(counter: Path, tmp_path: Path) -> None:
    """H.264 in BT.709, a constant rate, a key frame every two seconds, AAC, index in front."""
    clips = [cut("a", 0, 3, speed=0.6)]
    render(small(clips, sources=COUNTER), {"a": counter}, tmp_path)
    facts = media_facts(tmp_path / "video.mp4")
    assert facts["codec"] == "h264"
    assert facts["pixels"] == "yuv420p"
    assert (facts["colours"], facts["matrix"], facts["range"]) == ([1, 1], 1, 1)
    assert (facts["fps"], facts["frames"]) == (30, 150)
    assert facts["seconds"] == pytest.approx(5, abs=0.001)
    assert {0, 60, 120} <= set(facts["keys"])
    assert facts["sound"] == [["aac", 48000, "stereo"]]
    assert facts["fast_start"]


def test_an_overlay_is_there_at_its_seconds_and_nowhere_else(tmp_path: Path) -> None:
    """Frames 10 to 19 differ from the plain colour, inside the box alone."""
    overlay = TextOverlay(
        text="NOW", start_seconds=1 / 3, end_seconds=2 / 3, left=0.25, width=0.5, fade_seconds=0
    )
    timeline = small([colour_clip(1)], overlays=(overlay,))
    _, frames = render(timeline, {}, tmp_path)
    changed = [int(np.abs(f.astype(int) - 64).max() > 60) for f in frames]
    assert changed == [0] * 10 + [1] * 10 + [0] * 10
    there = np.abs(frames[15].astype(int) - 64).max(axis=2) > 40
    rows, columns = np.nonzero(there)
    assert columns.min() >= 0.25 * 128 - 3
    assert columns.max() <= 0.75 * 128 + 3
    assert rows.min() >= 0.12 * 96 - 3
    assert rows.max() <= 0.32 * 96 + 3


def test_an_overlay_fades_in_and_out(tmp_path: Path) -> None:
    """The brightest pixel of a fading white text grows and sinks."""
    overlay = TextOverlay(text="NOW", start_seconds=0, end_seconds=1, fade_seconds=0.3)
    _, frames = render(small([colour_clip(1)], overlays=(overlay,)), {}, tmp_path)
    peaks = [int(f.max()) for f in frames]
    assert peaks[1] < peaks[5] < peaks[15]
    assert peaks[15] > 220
    assert peaks[-2] < peaks[-6] < 235


def test_the_crop_follows_its_keys(slope: Path, tmp_path: Path) -> None:
    """A square window that goes from the left edge to the right, linearly, and stays there."""
    keys = [
        CropKey(at_seconds=at, left=left, top=0, width=0.5625, height=1)
        for at, left in ((0.5, 0.0), (1.5, 0.4375))
    ]
    clip = cut("a", 0.5, 2, crop=tuple(keys))
    timeline = small([clip], sources=SLOPE, width=64, height=64)
    _, frames = render(timeline, {"a": slope}, tmp_path)
    shown = [float(f[20:40, 28:36, 0].mean()) for f in frames]
    middle = 0.5625 / 2
    wanted = [20 + 215 * (min(n / 30, 1.0) * 0.4375 + middle) for n in range(45)]
    assert np.abs(np.array(shown) - wanted).max() < 5


def test_a_window_that_shrinks_zooms_in(slope: Path, tmp_path: Path) -> None:
    """From the whole picture to the lower right quarter."""
    keys = [
        CropKey(at_seconds=0, left=0, top=0, width=1, height=1),
        CropKey(at_seconds=1, left=0.5, top=0.5, width=0.5, height=0.5),
    ]
    timeline = small([cut("a", 0, 1.5, crop=tuple(keys))], sources=SLOPE, width=128, height=72)
    _, frames = render(timeline, {"a": slope}, tmp_path)
    assert len(frames) == 45
    for index, share in ((0, 0.0), (15, 0.5), (40, 1.0)):
        corner = frames[index][:4, :4].mean(axis=(0, 1))
        assert corner[0] == pytest.approx(20 + 215 * 0.5 * share, abs=9)
        assert corner[1] == pytest.approx(20 + 215 * 0.5 * share, abs=9)


@pytest.mark.parametrize("size", [(64, 128), (96, 96), (80, 100), (160, 90)])
@pytest.mark.parametrize("fit", ["crop", "pad", "blur"])
def test_every_ratio_is_filled_as_asked(
    slope: Path, tmp_path: Path, size: tuple[int, int], fit: str
) -> None:
    """Pad leaves black, blur and crop do not; the middle stays the middle."""
    clip = cut("a", 0, 0.2, fit=fit)
    timeline = small([clip], sources=SLOPE, width=size[0], height=size[1])
    _, frames = render(timeline, {"a": slope}, tmp_path)
    assert frames[0].shape == (size[1], size[0], 3)
    middle = frames[0][size[1] // 2 - 2 : size[1] // 2 + 2, size[0] // 2 - 2 : size[0] // 2 + 2]
    assert middle[..., 0].mean() == pytest.approx(127, abs=8)
    edge = frames[0][:2].mean()
    assert (edge < 10) == (fit == "pad" and size != (160, 90))


def test_colours_come_out_as_they_are_written(tmp_path: Path) -> None:
    """A plain colour is within 3 of 255 of what it says, in each channel."""
    clips = [colour_clip(0.2, value) for value in ("#204080", "#D02020", "#10C010", "#F0E0C0")]
    _, frames = render(small(clips), {}, tmp_path)
    for index, wanted in enumerate([(32, 64, 128), (208, 32, 32), (16, 192, 16), (240, 224, 192)]):
        shown = frames[index * 6 + 3].mean(axis=(0, 1))
        assert np.abs(shown - wanted).max() < 3.5


def test_the_grade_tints_shadows_and_lights_apart(slope: Path, tmp_path: Path) -> None:
    """Blue shadows, orange lights; saturation 0 is grey; contrast spreads."""

    def shot(grade: Grade, name: str) -> np.ndarray:
        timeline = small([cut("a", 0, 0.1)], sources=SLOPE, width=256, height=144, grade=grade)
        return render(timeline, {"a": slope}, tmp_path / name)[1][1].astype(float)

    plain = shot(Grade(), "plain")
    tint = shot(Grade(shadows="#0000FF", lights="#FF8000", strength=0.5), "tint") - plain
    dark, light = tint[2:12, 2:12].mean(axis=(0, 1)), tint[-12:-2, -12:-2].mean(axis=(0, 1))
    assert dark[2] > dark[0] + 15
    assert light[0] > light[2] + 15
    grey = shot(Grade(saturation=0), "grey")
    assert np.ptp(grey, axis=2).max() < 6
    hard = shot(Grade(contrast=1.3), "hard")
    assert hard.mean(axis=2).std() > 1.15 * plain.mean(axis=2).std()


@pytest.mark.parametrize("kind", ["fade", "dissolve", "wipe", "slide"])
def test_a_transition_shortens_the_output_and_mixes_both(kind: str, tmp_path: Path) -> None:
    """Ten frames in which neither the first nor the second colour stands alone."""
    second = colour_clip(1, "#E0E0E0").model_copy(
        update={"transition": TransitionIn.model_validate({"kind": kind, "seconds": 1 / 3})}
    )
    rendered, frames = render(small([colour_clip(1), second]), {}, tmp_path)
    assert rendered.frames == len(frames) == 50
    means = [float(f.mean()) for f in frames]
    assert np.abs(np.array(means[:20]) - 64).max() < 3
    assert np.abs(np.array(means[31:]) - 224).max() < 3
    middle = frames[25].astype(float)
    if kind == "fade":
        assert middle.mean() < 30
    elif kind == "dissolve":
        assert middle.mean() == pytest.approx(144, abs=20)
        assert middle.std() < 3
    else:
        assert abs(middle[:, :20].mean() - middle[:, -20:].mean()) > 100


def test_the_end_card_follows_on_its_colour(counter: Path, tmp_path: Path) -> None:
    """Its background, and a button of its colour in the middle."""
    card = EndCard(seconds=1, cta="Go", background="#103050", button="#FFD400")
    timeline = small([cut("a", 0, 1)], sources=COUNTER, end_card=card)
    rendered, frames = render(timeline, {"a": counter}, tmp_path)
    assert rendered.frames == 60
    assert number_of(frames[29]) == 29
    assert np.abs(frames[45][:4, :4].mean(axis=(0, 1)) - (16, 48, 80)).max() < 4
    yellow = (np.abs(frames[45].astype(int) - (255, 212, 0)).max(axis=2) < 40).mean()
    assert 0.01 < yellow < 0.2


def test_the_logo_is_laid_over_at_its_place_and_time(tmp_path: Path) -> None:
    """A red square with a transparent hole."""
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "color=red:s=40x40,format=rgba,geq=r=255:g=0:b=0:"
        "a='255*not(between(X,10,29)*between(Y,10,29))'",
        "-frames:v",
        "1",
        "-update",
        "1",
        tmp_path / "logo.png",
    )
    logo = Logo(path="brand/l.png", left=0.5, top=0.5, width=0.25, start_seconds=0.5, end_seconds=1)
    timeline = small([colour_clip(1)], logo=logo)
    _, frames = render(timeline, {"brand/l.png": tmp_path / "logo.png"}, tmp_path / "out")
    red = [bool((f[..., 0].astype(int) - f[..., 1] > 120).any()) for f in frames]
    assert red == [False] * 15 + [True] * 15
    assert np.abs(frames[20][64, 80].astype(int) - 64).max() < 8
    assert frames[20][50, 66, 0] > 200


def test_nobody_mistakes_what_is_missing(counter: Path, tmp_path: Path) -> None:
    """A file not handed over, another file, a broken one, nothing to show, less than a frame."""
    timeline = small([cut("a", 0, 1)], sources=COUNTER)
    with pytest.raises(SourceMissing, match="'a' was not handed over"):
        render(timeline, {}, tmp_path)
    other = {"a": {**COUNTER["a"], "sha256": "0" * 64}}
    with pytest.raises(SourceMissing, match="not the one"):
        render(small([cut("a", 0, 1)], sources=other), {"a": counter}, tmp_path)
    with pytest.raises(SourceUnreadable, match="begins at 50 s"):
        render(small([cut("a", 50, 51)], sources=COUNTER), {"a": counter}, tmp_path)
    with pytest.raises(TimelineUnfit, match="shorter than a frame"):
        render(small([colour_clip(0.001)]), {}, tmp_path)
    assert not list(tmp_path.glob("video.mp4"))
    assert not list(tmp_path.glob(".rendering"))
