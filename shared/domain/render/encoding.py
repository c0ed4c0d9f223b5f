"""The command lines that turn a drawn graph into a preview and into the video."""

from shared.domain.render.ffmpeg import has_nvenc
from shared.domain.render.framing import QUICK, Canvas
from shared.timeline_models import Encoding, Timeline

PREVIEW_SHORT_SIDE = 360
PREVIEW_CRF = 27
PREVIEW_MIN_FPS = 12
FILTER_THREADS = 2
# libx264's scale of quality and NVENC's differ by about this much at the same bits.
NVENC_CQ_MORE = 5
# Measured on the bench's portrait ad: a fifth less processor time, a sixth more bits at the same
# SSIM; platforms code what they get anew anyway.
FASTER = ["-x264-params", "subme=1"]
BT709 = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
REPEATABLE = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1")
FAST_START = ("-movflags", "+faststart", "-f", "mp4")


def choose_encoder(asked: Encoding, encoder: str | None) -> tuple[Encoding, tuple[str, ...]]:
    """The encoding with an encoder that this machine has, and a note when it is another."""
    wanted = encoder or asked.video
    if asked.video_kbps and wanted != "libx264":
        # Only libx264 fills up what is too simple for the rate.
        return asked.model_copy(update={"video": "libx264"}), ()
    if wanted == "auto":
        wanted = "h264_nvenc" if has_nvenc() else "libx264"
    elif wanted == "h264_nvenc" and not has_nvenc():
        return asked.model_copy(update={"video": "libx264"}), (
            "no GPU with an H.264 encoder answers here: encoded by libx264 on the processor",
        )
    return asked.model_copy(update={"video": wanted}), ()


def canvas_of(timeline: Timeline) -> Canvas:
    """The full canvas."""
    return Canvas(timeline.width, timeline.height, timeline.fps)


def preview_canvas(timeline: Timeline) -> Canvas:
    """360 pixels on the short side, never more than the video has."""
    share = min(1.0, PREVIEW_SHORT_SIDE / min(timeline.width, timeline.height))
    width, height = (max(2, 2 * round(side * share / 2)) for side in _sides(timeline))
    return Canvas(width, height, timeline.fps, QUICK, preview_step(timeline))


def preview_step(timeline: Timeline) -> int:
    """Every how many-th frame a preview shows: at least 12 a second."""
    return max(1, timeline.fps // PREVIEW_MIN_FPS)


def _sides(timeline: Timeline) -> tuple[int, int]:
    return timeline.width, timeline.height


def video_words(timeline: Timeline, encoding: Encoding) -> list[str]:
    """How the pictures of the video are coded."""
    keys = max(1, round(encoding.keyframe_seconds * timeline.fps))
    if encoding.video == "h264_nvenc":
        coder = ["-c:v", "h264_nvenc", "-preset", "p4", "-rc", "vbr", "-b:v", "0"]
        coder += ["-cq", str(min(51, encoding.crf + NVENC_CQ_MORE)), "-forced-idr", "1"]
    else:
        coder = ["-c:v", "libx264", "-preset", encoding.preset, *_rate_words(encoding)]
        coder += ["-threads", str(encoding.threads)]
        if encoding.preset == "veryfast":
            coder += FASTER
    return [
        *coder,
        *("-g", str(keys), "-force_key_frames", f"expr:not(mod(n,{keys}))"),
        *("-profile:v", "high", "-pix_fmt", "yuv420p", "-color_range", "tv", *BT709),
        *("-r", str(timeline.fps), "-fps_mode", "cfr", *REPEATABLE),
    ]


def _rate_words(encoding: Encoding) -> list[str]:
    """A steady quality, or a steady rate where one is asked for."""
    if not encoding.video_kbps:
        return ["-crf", str(encoding.crf)]
    rate, buffer = f"{encoding.video_kbps}k", f"{2 * encoding.video_kbps}k"
    words = ["-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", buffer]
    return [*words, "-x264-params", "nal-hrd=cbr"]


def preview_words(timeline: Timeline) -> list[str]:
    """How the preview is coded: as fast as can be."""
    coder = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", str(PREVIEW_CRF))
    return [
        *(*coder, "-threads", "2", "-g", str(timeline.fps * 2), "-pix_fmt", "yuv420p"),
        *("-color_range", "tv", *BT709, *REPEATABLE, "-fps_mode", "cfr"),
        *("-r", f"{timeline.fps}/{preview_step(timeline)}"),
    ]


def graph_words(name: str) -> list[str]:
    """The graph from its file; a fixed number of threads."""
    return ["-filter_complex_threads", str(FILTER_THREADS), "-/filter_complex", name]
