"""A render is whole or not there: killed, cancelled, crowded, repeated, copied."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.domain.render import encoding, ffmpeg
from shared.domain.render.hashing import hash_frames, hash_pictures
from shared.domain.render.process import Allowance, run_ffmpeg
from shared.domain.render.refusals import (
    LogoUnreadable,
    RenderBusy,
    RenderFailed,
    RenderTooSlow,
    SourceUnreadable,
)
from shared.domain.render.render import render_timeline
from shared.domain.render.workplace import work_in
from shared.timeline_models import (
    Captions,
    CaptionWord,
    Grade,
    Logo,
    Music,
    Sound,
    TextOverlay,
    Timeline,
)
from tests.support.renders import (
    colour_clip,
    cut,
    media_facts,
    number_of,
    numbered,
    render,
    small,
    tone,
    write_source,
)

ENTRY = {"path": "a", "width": 128, "height": 96, "fps": 30, "duration_seconds": 3}
SOURCES = {"a": {**ENTRY, "has_audio": True}}
ROOT = Path(__file__).resolve().parents[4]
CHILD = """
import sys
from pathlib import Path
from shared.domain.render.render import render_timeline
from shared.timeline_models import Timeline
timeline = Timeline.model_validate_json(Path(sys.argv[1]).read_text())
def tell(share, step):
    print(step, share, flush=True)
render_timeline(timeline, {"a": Path(sys.argv[2])}, Path(sys.argv[3]), on_progress=tell)
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of numbered frames with sound; a key frame a second, no frames reordered."""
    path = tmp_path_factory.mktemp("counter") / "counter.mp4"
    pictures = [numbered(n) for n in range(90)]
    colours = "colorprim=bt709:transfer=bt709:colormatrix=bt709"
    write_source(path, pictures, wave=tone(3), options={"g": "30", "x264-params": colours})
    return path


def busy() -> Timeline:
    """A timeline with a bit of everything."""
    words = (CaptionWord(text="Word", start_seconds=0.5, end_seconds=1),)
    return small(
        [cut("a", 0.5, 2), colour_clip(0.5), cut("a", 0, 1, fit="blur", speed=1.5)],
        sources=SOURCES,
        overlays=(TextOverlay(text="Now", start_seconds=0, end_seconds=1),),
        captions=Captions(words=words),
        grade=Grade(shadows="#0000FF", strength=0.3),
    )


def test_the_same_timeline_gives_the_same_frames_in_any_folder(
    counter: Path, tmp_path: Path
) -> None:
    """Twice here, once elsewhere under another file name: hashes and bytes agree."""
    other = tmp_path / "-i concat:o'ther\n%03d.mp4"
    other.write_bytes(counter.read_bytes())
    made = [
        render_timeline(busy(), {"a": file}, tmp_path / name)
        for name, file in (("one", counter), ("two", counter), ("a b'c", other))
    ]
    assert len({one.pictures_sha256 for one in made}) == 1
    decoded = {hash_frames("video.mp4", tmp_path / name, Allowance()) for name in ("one", "a b'c")}
    assert len(decoded) == 1
    videos = [(tmp_path / name / "video.mp4").read_bytes() for name in ("one", "two", "a b'c")]
    assert videos[0] == videos[1] == videos[2]


def test_the_hash_is_that_of_the_file(counter: Path, tmp_path: Path) -> None:
    """Anybody can take it from a copy; another edit has another hash, and other frames."""
    rendered, _ = render(busy(), {"a": counter}, tmp_path)
    assert hash_pictures(tmp_path / "video.mp4") == (rendered.pictures_sha256, 80)
    frames = hash_frames("video.mp4", tmp_path, Allowance())
    assert frames[1] == 80
    other = render(busy().model_copy(update={"grade": Grade()}), {"a": counter}, tmp_path)[0]
    assert other.pictures_sha256 != rendered.pictures_sha256
    assert hash_frames("video.mp4", tmp_path, Allowance()) != frames


def test_the_preview_comes_first_and_is_small(counter: Path, tmp_path: Path) -> None:
    """It is in place before the first frame of the video is; as long as the video."""
    seen: list[tuple[str, bool]] = []

    def tell(share: float, step: str) -> None:
        assert 0 <= share <= 1
        seen.append((step, (tmp_path / "preview.mp4").exists()))

    timeline = busy().model_copy(update={"width": 720, "height": 1280})
    rendered = render_timeline(timeline, {"a": counter}, tmp_path, on_progress=tell)
    assert all(there for step, there in seen if step == "video")
    assert [step for step, _ in seen if step == "video"]
    facts = media_facts(tmp_path / "preview.mp4")
    assert facts["size"] == [360, 640]
    assert facts["fps"] == 15
    assert facts["frames"] == rendered.frames / 2
    assert facts["seconds"] == pytest.approx(rendered.seconds, abs=0.05)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "preview.mp4",
        "thumbnail.jpg",
        "video.mp4",
    ]


def test_the_thumbnail_is_no_black_picture(tmp_path: Path, counter: Path) -> None:
    """A second of black before the pictures."""
    import cv2

    timeline = small([colour_clip(1, "#000000"), cut("a", 1, 3)], sources=SOURCES)
    render(timeline, {"a": counter}, tmp_path)
    picture = cv2.imread(str(tmp_path / "thumbnail.jpg"))
    assert picture is not None
    assert picture.shape == (96, 128, 3)
    assert picture.mean() > 50


def started(timeline: Timeline, source: Path, folder: Path) -> subprocess.Popen[str]:
    """A process that renders, once its ffmpeg draws the video."""
    folder.mkdir(exist_ok=True)
    plan = folder.parent / "timeline.json"
    plan.write_text(timeline.model_dump_json())
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, plan, source, folder],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("video"):
            return process
    raise AssertionError("the render ended before the video was drawn")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in found.stdout.split()]


def gone(pids: list[int]) -> bool:
    """Whether none of the processes is alive any more, given three seconds."""
    for _ in range(60):
        alive = [p for p in pids if Path(f"/proc/{p}").exists()]
        states = [Path(f"/proc/{p}/stat").read_text().split()[2] for p in alive]
        if all(state == "Z" for state in states):
            return True
        time.sleep(0.05)
    return False


def long_one() -> Timeline:
    """Some seconds of work."""
    return small([cut("a", 0, 3, speed=0.25)], sources=SOURCES, width=720, height=1280)


def test_a_killed_render_leaves_nothing_half_and_a_retry_makes_the_same(
    counter: Path, tmp_path: Path
) -> None:
    """kill -9 while the video is written: ffmpeg dies too, and no video is there."""
    process = started(long_one(), counter, tmp_path / "out")
    children = children_of(process.pid)
    assert children
    process.kill()
    process.communicate()
    assert gone(children)
    assert not (tmp_path / "out" / "video.mp4").exists()
    retried, _ = render(long_one(), {"a": counter}, tmp_path / "out")
    fresh, _ = render(long_one(), {"a": counter}, tmp_path / "fresh")
    assert retried == fresh
    assert (tmp_path / "out/video.mp4").read_bytes() == (tmp_path / "fresh/video.mp4").read_bytes()
    assert not (tmp_path / "out" / ".rendering").exists()


def test_sigterm_ends_ffmpeg_and_cleans_up(counter: Path, tmp_path: Path) -> None:
    """What a scheduler sends before it kills."""
    process = started(long_one(), counter, tmp_path / "out")
    children = children_of(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 128 + signal.SIGTERM
    assert gone(children)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["preview.mp4"]


def test_a_callback_that_raises_cancels(counter: Path, tmp_path: Path) -> None:
    """The exception comes out as it is, and the folder is as before."""
    (tmp_path / "video.mp4").write_bytes(b"older")

    def tell(_share: float, step: str) -> None:
        if step == "video":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_timeline(busy(), {"a": counter}, tmp_path, on_progress=tell, preview=False)
    assert [p.name for p in tmp_path.iterdir()] == ["video.mp4"]
    assert (tmp_path / "video.mp4").read_bytes() == b"older"


def test_two_renders_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    """The second is told to wait."""
    with work_in(tmp_path), pytest.raises(RenderBusy), work_in(tmp_path):
        pass


def test_an_untouched_range_is_copied(counter: Path, tmp_path: Path) -> None:
    """From key frame to key frame, the same size and rate: not a frame is coded again."""
    timeline = small([cut("a", 1, 3)], sources=SOURCES)
    rendered, frames = render(timeline, {"a": counter}, tmp_path)
    assert rendered.copied
    assert len(frames) == rendered.frames == 60
    originals = hash_frames(counter.name, counter.parent, Allowance())
    assert originals[1] == 90
    facts = media_facts(tmp_path / "video.mp4")
    assert facts["fast_start"]
    assert (facts["sound"], facts["frames"]) == ([["aac", 48000, "stereo"]], 60)
    assert [number_of(f) for f in frames] == [*range(30, 90)]


@pytest.mark.parametrize(
    "change",
    [
        {"clips": (cut("a", 1.1, 3),)},
        {"clips": (cut("a", 1, 2.5),)},
        {"clips": (cut("a", 1, 3, speed=2),)},
        {"clips": (cut("a", 1, 2), cut("a", 2, 3))},
        {"width": 96},
        {"fps": 25},
        {"grade": Grade(contrast=1.1)},
        {"overlays": (TextOverlay(text="x", start_seconds=0, end_seconds=1),)},
    ],
)
def test_whatever_is_touched_is_encoded(
    counter: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    """One small change each."""
    timeline = small([cut("a", 1, 3)], sources=SOURCES).model_copy(update=change)
    assert not render(timeline, {"a": counter}, tmp_path)[0].copied


def test_without_a_gpu_the_processor_encodes_and_that_is_said(
    counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by name it is noted; `auto` takes what there is."""
    monkeypatch.setattr(encoding, "has_nvenc", lambda: False)
    timeline = small([cut("a", 0, 1)], sources=SOURCES)
    rendered, _ = render(timeline, {"a": counter}, tmp_path, encoder="h264_nvenc")
    assert any("libx264" in note for note in rendered.notes)
    rendered, _ = render(timeline, {"a": counter}, tmp_path, encoder="auto")
    assert rendered.notes == ()
    monkeypatch.setattr(encoding, "has_nvenc", lambda: True)
    chosen, notes = encoding.choose_encoder(timeline.encoding, "auto")
    assert (chosen.video, notes) == ("h264_nvenc", ())
    assert "h264_nvenc" in encoding.video_words(timeline, chosen)


def test_the_encoder_of_a_gpu_is_asked_for_only_where_there_is_a_card() -> None:
    """The answer is a plain fact of this machine and is kept."""
    assert isinstance(ffmpeg.has_nvenc(), bool)
    assert ffmpeg.has_nvenc.cache_info().currsize == 1
    assert ffmpeg.ffmpeg_version().startswith("n")


def test_ffmpeg_dies_at_its_limits(tmp_path: Path) -> None:
    """Too long, and too much memory; each by its own error."""
    endless = ["-re", "-f", "lavfi", "-i", "color=s=16x16:r=5", "-f", "null", "-"]
    with pytest.raises(RenderTooSlow, match=r"within 0 s|within 1 s"):
        run_ffmpeg(endless, tmp_path, Allowance(seconds=0.6))
    large = ["-f", "lavfi", "-i", "color=s=8000x8000:d=1", "-f", "null", "-"]
    with pytest.raises(RenderFailed):
        run_ffmpeg(large, tmp_path, Allowance(30, 200_000_000))


def test_playlists_bombs_and_drawings_are_refused(counter: Path, tmp_path: Path) -> None:
    """A text that names other files, a logo that is one, an SVG, a picture of 400 megapixels."""
    playlist = tmp_path / "music.mp3"
    playlist.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    music = Sound(music=Music(source="m"))
    sources = {**SOURCES, "m": {**ENTRY, "has_audio": True}}
    timeline = small([cut("a", 0, 1)], sources=sources, sound=music)
    with pytest.raises(SourceUnreadable, match="'m' is no sound"):
        render(timeline, {"a": counter, "m": playlist}, tmp_path / "out")
    logo = Logo(path="logo", left=0, top=0, width=0.2, end_seconds=1)
    timeline = small([colour_clip(1)], logo=logo)
    heads = (b"<svg xmlns='x'/>", b"ffconcat version 1.0\n", b"\x89PNG\r\n\x1a\nbroken", BOMB)
    for content in heads:
        (tmp_path / "logo").write_bytes(content)
        with pytest.raises(LogoUnreadable, match="PNG"):
            render(timeline, {"logo": tmp_path / "logo"}, tmp_path / "out")


# The head of a PNG of 20000 by 20000 pixels of one bit.
BOMB = bytes.fromhex("89504e470d0a1a0a0000000d4948445200004e2000004e2001000000008f1b7d0a")
