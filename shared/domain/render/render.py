"""Renders a timeline: preview first, then the whole; nobody ever sees half of a file."""

import hashlib
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from shared.domain.render.copying import copied_range, copy_words
from shared.domain.render.encoding import (
    FAST_START,
    canvas_of,
    choose_encoder,
    graph_words,
    preview_canvas,
    preview_words,
    video_words,
)
from shared.domain.render.ffmpeg import ffmpeg_version
from shared.domain.render.frames import FramePlan, plan_frames
from shared.domain.render.hashing import hash_frames, hash_pictures
from shared.domain.render.lettering import Letterer
from shared.domain.render.logo import draw_logo
from shared.domain.render.mastering import METER, MIX, Mastered, master, read_loudness
from shared.domain.render.mixing import mix_graph
from shared.domain.render.picture import Material, draw_graph
from shared.domain.render.probe import SourceFacts, probe_sources
from shared.domain.render.process import Allowance, run_ffmpeg
from shared.domain.render.refusals import SourceMissing, SourceUnreadable
from shared.domain.render.sniffing import sniff_sound
from shared.domain.render.thumbnail import candidate_words, candidates_chain, choose_thumbnail
from shared.domain.render.workplace import lay_out_fonts, link_files, work_in
from shared.models import Limits
from shared.timeline_models import Encoding, Rendered, Timeline

Encoder = Literal["auto", "libx264", "h264_nvenc"]
Progress = Callable[[float, str], None]

VIDEO, PREVIEW, THUMBNAIL = "video.mp4", "preview.mp4", "thumbnail.jpg"
TEXT = "text.ass"
HELD_SECONDS = 0.1
SOUND_SHARE, PREVIEW_SHARE = 0.05, 0.2
# How long a render may take at the worst: for each second, and each second of a megapixel.
PATIENCE_SECONDS, PATIENCE_PER_SECOND, PATIENCE_PER_MEGAPIXEL = 180.0, 10.0, 15.0


def render_timeline(
    timeline: Timeline,
    files: Mapping[str, Path],
    folder: Path,
    *,
    on_progress: Progress | None = None,
    encoder: Encoder | None = None,
    preview: bool = True,
    limits: Limits | None = None,
) -> Rendered:
    """Writes video.mp4, thumbnail.jpg and, first of all, preview.mp4 into `folder`.

    `files` are local paths by source name, and the logo's by its path in Files. `on_progress`
    gets a share in 0 to 1 and what is being done; whatever it raises ends the render, and the
    folder is left as it was (a preview that was done stays). `encoder` "auto" takes the GPU's
    where there is one; None is what the timeline says. Raises what refusals.py names.
    """
    plan = plan_frames(timeline)
    with work_in(folder) as work, _ended_by_sigterm():
        tell = on_progress or _silent
        job = _Job(timeline, plan, files, folder, work, tell, limits or Limits())
        return job.run(encoder, preview=preview)


def _silent(_share: float, _step: str) -> None:
    """Nobody wants to know."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM becomes an exception where nobody else handles it, so that ffmpeg is ended too."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if not ours:
        yield
        return

    def leave(_number: int, _frame: Any) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@dataclass
class _Job:
    timeline: Timeline
    plan: FramePlan
    files: Mapping[str, Path]
    folder: Path
    work: Path
    tell: Progress
    limits: Limits
    held: tuple[str, ...] = ()

    def run(self, encoder: Encoder | None, *, preview: bool) -> Rendered:
        """Sound, preview, video, thumbnail; each is put in place when it is whole."""
        encoding, notes = choose_encoder(self.timeline.encoding, encoder)
        self.tell(0.0, "sources")
        letterer = Letterer(self.timeline, self.plan)
        material = self._prepare(letterer)
        sound = self._sound(material)
        begin = SOUND_SHARE
        if preview:
            self._preview(material, sound)
            begin = PREVIEW_SHARE
        digest = self._copy(material, sound)
        copied = digest is not None
        if digest is None:
            digest = self._video(material, sound, encoding, begin)
        choose_thumbnail(self.work, self.work / THUMBNAIL)
        self._put(THUMBNAIL)
        self._put(VIDEO)
        self.tell(1.0, "done")
        return Rendered(
            preview=PREVIEW if preview else None,
            seconds=self.plan.total / self.timeline.fps,
            frames=self.plan.total,
            pictures_sha256=digest,
            ffmpeg=ffmpeg_version(),
            copied=copied,
            loudness_lufs=sound.loudness.lufs,
            true_peak_db=sound.loudness.peak_db,
            notes=(*self.timeline.notes, *notes, *self.held, *letterer.notes(), *sound.notes),
        )

    @property
    def _allowance(self) -> Allowance:
        megapixels = self.timeline.width * self.timeline.height / 1e6
        patience = PATIENCE_PER_SECOND + PATIENCE_PER_MEGAPIXEL * megapixels
        return Allowance(PATIENCE_SECONDS + patience * self.plan.total / self.timeline.fps)

    def _prepare(self, letterer: Letterer) -> Material:
        """Looks at every file and gives each a name of ours in the work folder."""
        timeline = self.timeline
        shown = {part.clip.source for part in self.plan.parts if part.clip.source}
        music = timeline.sound.music.source if timeline.sound.music else None
        wanted = sorted(shown | ({music} if music else set()))
        for name in wanted:
            self._check(name, timeline.sources[name].sha256)
        facts = probe_sources({name: self.files[name] for name in sorted(shown)}, self.limits)
        self.held = _check_ranges(self.plan, facts)
        links = link_files({name: self.files[name] for name in wanted}, self.work)
        demuxers = {name: one.demuxer for name, one in facts.items()}
        if music and music not in demuxers:
            demuxers[music] = sniff_sound(music, self.files[music])
        if timeline.logo:
            self._check(timeline.logo.path, "")
            draw_logo(self.files[timeline.logo.path], timeline, self.work)
        text = letterer.document()
        lay_out_fonts(letterer.fonts.used_files(), self.work)
        if text is not None:
            (self.work / TEXT).write_text(text, encoding="utf-8")
        return Material(
            links=links,
            facts=facts,
            demuxers=demuxers,
            text=TEXT if text is not None else None,
        )

    def _check(self, name: str, sha256: str) -> None:
        path = self.files.get(name)
        if path is None or not path.is_file():
            raise SourceMissing(
                f"the file of {name!r} was not handed over; there are {sorted(self.files)}"
            )
        if sha256 and _sha256(path) != sha256:
            raise SourceMissing(
                f"the file of {name!r} is not the one that the timeline was cut from "
                f"(sha256 {sha256[:12]}...); cut the timeline anew"
            )

    def _sound(self, material: Material) -> Mastered:
        self.tell(0.01, "sound")
        timeline = self.timeline
        graph = mix_graph(timeline, self.plan, material.links, material.demuxers, material.facts)
        chains = ";\n".join(graph.chains).replace("[mix]", f"[raw];[raw]{METER}[mix]")
        (self.work / "sound.txt").write_text(chains + "\n")
        output = ("-map", "[mix]", "-c:a", "pcm_f32le", "-f", "wav", MIX)
        words = [*graph.inputs, *graph_words("sound.txt"), *output]
        said = run_ffmpeg(words, self.work, self._allowance, verbose=True)
        mixed = read_loudness(said) if graph.heard else None
        return master(mixed, timeline.sound, timeline.encoding, self.work, self._allowance)

    def _preview(self, material: Material, sound: Mastered) -> None:
        graph = draw_graph(self.timeline, self.plan, preview_canvas(self.timeline), material)
        (self.work / "preview.txt").write_text(graph.text)
        output = ("-map", "[picture]", "-map", f"{len(graph.inputs)}:a:0", "-c:a", "copy")
        words = [
            *(*graph.words, "-i", f"file:{sound.name}"),
            *(*graph_words("preview.txt"), *output, *preview_words(self.timeline), *FAST_START),
            PREVIEW,
        ]
        share = (SOUND_SHARE, PREVIEW_SHARE)
        run_ffmpeg(words, self.work, self._allowance, on_frame=self._counter("preview", share))
        self._put(PREVIEW)
        self.tell(PREVIEW_SHARE, "preview")

    def _copy(self, material: Material, sound: Mastered) -> str | None:
        """The hash of the pictures when the whole could be copied; None when it could not."""
        copied = copied_range(self.timeline, self.plan, material.facts)
        if copied is None:
            return None
        words = copy_words(copied, material.links[copied.source], sound.name)
        run_ffmpeg([*words, VIDEO], self.work, self._allowance)
        early = candidates_chain("0:v:0", self.timeline.fps, self.plan.total)
        pictures = ["-filter_complex", early, *candidate_words()]
        _, frames = hash_frames(VIDEO, self.work, self._allowance, pictures)
        # Frames that depend on others outside the range show up as too many or too few.
        return hash_pictures(self.work / VIDEO)[0] if frames == self.plan.total else None

    def _video(self, material: Material, sound: Mastered, encoding: Encoding, begin: float) -> str:
        timeline = self.timeline
        graph = draw_graph(timeline, self.plan, canvas_of(timeline), material)
        graph.chains.append("[picture]split[video][early]")
        graph.chains.append(candidates_chain("early", timeline.fps, self.plan.total))
        (self.work / "video.txt").write_text(graph.text)
        output = ("-map", "[video]", "-map", f"{len(graph.inputs)}:a:0", "-c:a", "copy")
        words = [
            *(*graph.words, "-i", f"file:{sound.name}", *graph_words("video.txt")),
            *(*output, *video_words(timeline, encoding), *FAST_START, VIDEO),
            *candidate_words(),
        ]
        on_frame = self._counter("video", (begin, 1.0))
        run_ffmpeg(words, self.work, self._allowance, on_frame=on_frame)
        digest, frames = hash_pictures(self.work / VIDEO)
        if frames != self.plan.total:
            raise SourceUnreadable(
                f"{frames} frames came out and not {self.plan.total}: a range of a source has "
                "no picture to show; check the clips' ranges against their sources"
            )
        return digest

    def _counter(self, step: str, share: tuple[float, float]) -> Callable[[int], None]:
        def count(frames: int) -> None:
            done = min(1.0, frames / self.plan.total)
            self.tell(share[0] + (share[1] - share[0]) * done, step)

        return count

    def _put(self, name: str) -> None:
        (self.work / name).replace(self.folder / name)


def _check_ranges(plan: FramePlan, facts: Mapping[str, SourceFacts]) -> tuple[str, ...]:
    """Notes on clips that end after their source; raises SourceUnreadable for one that begins so.

    A header that gives no length is not asked.
    """
    notes = []
    for part in plan.parts:
        clip = part.clip
        known = facts[clip.source] if clip.source else None
        if known is None or known.seconds <= 0:
            continue
        end = known.start_seconds + known.seconds
        if clip.start_seconds >= end:
            raise SourceUnreadable(
                f"clip {part.index} begins at {clip.start_seconds:g} s of source {clip.source!r}, "
                f"which ends at {end:g} s; check the clips' ranges against their sources"
            )
        if clip.end_seconds > end + HELD_SECONDS:
            notes.append(
                f"clip {part.index} ends at {clip.end_seconds:g} s of source {clip.source!r}, "
                f"which ends at {end:g} s: its last picture is held"
            )
    return tuple(notes)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
