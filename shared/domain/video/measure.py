"""Puts the report together from one decode: pictures, sound, and how they go together."""

import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from shared.domain.video.album import Album, Kept
from shared.domain.video.contact_sheet import draw_contact_sheet
from shared.domain.video.detector import AnalyserUnavailable, Detector
from shared.domain.video.faces import FaceDetector, end_at_shots, engagement_of, summarize
from shared.domain.video.hook import (
    ContrastDetector,
    contrast_signal,
    cut_signal,
    face_signal,
    motion_signal,
    score_hook,
    sound_signal,
)
from shared.domain.video.motion import MotionDetector, calm_cuts, cut_windows, find_peaks
from shared.domain.video.reading import Reading
from shared.domain.video.rhythm import Rhythm
from shared.domain.video.scenes import SceneDetector, shots_between
from shared.domain.video.sync import match_sync
from shared.models import (
    Analyser,
    Analysis,
    Audio,
    Faces,
    Limits,
    Speech,
    Sync,
    Transition,
    VideoPattern,
)

DETECTORS: dict[str, Callable[[], Detector]] = {
    "scenes": SceneDetector,
    "motion": MotionDetector,
    "faces": FaceDetector,
    "hook": ContrastDetector,
}
NO_AUDIO = "the video has no audio track"
NO_SOUND = "nothing of the audio track could be decoded"


def measure_video(
    task: dict[str, Any],
    limits: Limits,
    on_progress: Callable[[float, str], None],
    *,
    watchers: Mapping[str, Callable[[], Detector]] | None = None,
    hear: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    """The Analysis of the video that `task` names and, if wanted, its contact sheet, as JSON.

    Runs in the child process. The sheet is a JPEG in base64, empty when it is not wanted.
    `watchers` see every frame and `hear` gets every frame of sound, beside the analysis: nothing
    of it depends on them.
    """
    cv2.setNumThreads(1)
    album = Album() if task["pictures"] else None
    detectors = {**_detectors(limits, album), **(watchers or {})}
    reading = Reading(detectors, limits, preview=bool(task["preview"]), hear=hear)
    reading.read(Path(task["path"]), task["demuxer"], on_progress)
    on_progress(0.9, "scenes")
    report = Report(reading)
    report.see()
    on_progress(0.94, "audio")
    report.hear()
    on_progress(0.99, "pattern")
    extracted_at = datetime.fromisoformat(task["extracted_at"])
    analysis = report.finish(task["video_id"], extracted_at)
    sheet = draw_contact_sheet(report.kept(album), analysis) if album else b""
    return {
        "analysis": analysis.model_dump(mode="json"),
        "contact_sheet": b64encode(sheet).decode(),
    }


def _detectors(limits: Limits, album: Album | None) -> dict[str, Callable[[], Detector]]:
    """All that look at frames, the album for the pictures among them when it is wanted."""
    detectors: dict[str, Callable[[], Detector]] = {
        **DETECTORS,
        "faces": partial(FaceDetector, limits.face_model),
    }
    return {**detectors, "pictures": lambda: album} if album else detectors


class Report:
    """The parts of one Analysis, in the order in which they need each other."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._at = reading.timeline.at
        self._end = self._at[0] + reading.media.duration_seconds
        self._analysers: list[Analyser] = []

    def _take(self, name: str, otherwise: Any) -> Any:
        found, analyser = self._reading.result(name, otherwise)
        self._analysers.append(analyser)
        return found

    def see(self) -> None:
        """Scenes, motion windows and faces."""
        numbering = self._reading.numbering
        self.transitions: tuple[Transition, ...] = numbering.transitions(self._take("scenes", ()))
        still = np.zeros(len(numbering.seen))
        energies = numbering.spread(self._take("motion", still))
        faces: Faces = numbering.faces(self._take("faces", summarize((), None)))
        self.shots = shots_between(self.transitions, self._at, self._end)
        faces = end_at_shots(faces, [shot.start_frame for shot in self.shots])
        self.energies = calm_cuts(energies, self.transitions)
        self.moments = cut_windows(self.energies, self._at, self._end, self.transitions, faces)
        known = faces.share is not None
        engagement = engagement_of(self.moments) if known else None
        self.faces = faces.model_copy(update={"engagement": engagement})

    def hear(self) -> None:
        """Rhythm, loudness, speech, and sound against picture."""
        sound = self._reading.sound
        sound.close()
        if not len(sound.opening()):
            reason = NO_SOUND if self._reading.media.has_audio else NO_AUDIO
            self._skip(reason, "audio", "speech", "sync")
            self.audio = Audio(
                tempo_bpm=None,
                beats_seconds=(),
                onsets_seconds=(),
                speech=(),
                loudness_lufs=None,
                sync=Sync(sync_points=(), sync_quality=None, beat_matches=0),
            )
            return
        began = time.perf_counter()
        rhythm = self._moved(sound.rhythm())
        loudness = sound.meter.result()
        spent = self._reading.sound_seconds + time.perf_counter() - began
        spent = max(0.0, spent - sound.speech.spent_seconds)
        self._ran("audio", spent, self._reading.sound_problem)
        speech = self._speech()
        self.audio = Audio(
            tempo_bpm=rhythm.tempo_bpm,
            beats_seconds=rhythm.beats,
            onsets_seconds=rhythm.onsets,
            speech=speech,
            loudness_lufs=loudness,
            sync=self._sync(rhythm),
        )

    def _skip(self, reason: str, *names: str) -> None:
        self._analysers += [Analyser(name=n, status="skipped", reason=reason) for n in names]

    def _ran(self, name: str, seconds: float, reason: str = "") -> None:
        self._analysers.append(
            Analyser(name=name, status="ran", reason=reason, seconds=round(seconds, 4))
        )

    @property
    def _offset(self) -> float:
        """Where the sound begins on the video's clock."""
        return self._reading.sound.start_seconds or 0.0

    def _moved(self, rhythm: Rhythm) -> Rhythm:
        return Rhythm(
            rhythm.tempo_bpm,
            tuple(round(b + self._offset, 3) for b in rhythm.beats),
            tuple(round(o + self._offset, 3) for o in rhythm.onsets),
        )

    def _speech(self) -> tuple[Speech, ...]:
        meter = self._reading.sound.speech
        try:
            found = meter.segments()
        except AnalyserUnavailable as problem:
            self._analysers.append(
                Analyser(name="speech", status="unavailable", reason=str(problem))
            )
            return ()
        self._ran("speech", meter.spent_seconds)
        return tuple(
            Speech(
                start_seconds=round(s.start_seconds + self._offset, 3),
                end_seconds=round(s.end_seconds + self._offset, 3),
            )
            for s in found
        )

    def _sync(self, rhythm: Rhythm) -> Sync:
        began = time.perf_counter()
        cuts = [self._at[t.start_frame] for t in self.transitions if t.kind == "cut"]
        peaks = [self._at[peak] for peak in find_peaks(self.energies)]
        sync = match_sync(rhythm.beats, rhythm.onsets, cuts, peaks, (self._at[0], self._end))
        if sync.sync_quality is None:
            missing = "cuts or motion peaks" if rhythm.onsets else "beats or onsets"
            self._skip(f"there are no {missing} to compare", "sync")
        else:
            self._ran("sync", time.perf_counter() - began)
        return sync

    def kept(self, album: Album) -> list[Kept]:
        """The album's pictures with the numbers of their frames in the video."""
        seen = self._reading.numbering.seen
        return [replace(kept, frame=int(seen[kept.frame])) for kept in album.result()]

    def finish(self, video_id: str, extracted_at: datetime) -> Analysis:
        """The hook, the pattern and the whole report."""
        start = self._at[0]
        opening = self._reading.sound.opening()
        heard = opening if len(opening) else None
        silent = np.zeros(0, np.float32) if not self._reading.media.has_audio else None
        contrasts = self._take("hook", [])
        hook = score_hook(
            {
                "motion": motion_signal(self.energies, self._at),
                "cuts": cut_signal(self.transitions, self._at),
                "faces": face_signal(self.faces, start),
                "contrast": contrast_signal(contrasts),
                "sound": sound_signal(silent if heard is None else heard, self._offset - start),
            },
            self._at[-1] - start,
        )
        pattern = VideoPattern(
            video_id=video_id,
            motion_moments=self.moments,
            hook_score=hook.hook_score,
            face_engagement=self.faces.engagement,
            audio_sync_quality=self.audio.sync.sync_quality,
            extracted_at=extracted_at,
        )
        self._ran("pattern", 0.0)
        return Analysis(
            video_id=video_id,
            media=self._reading.media,
            cuts=tuple(t.start_frame for t in self.transitions if t.kind == "cut"),
            shots=self.shots,
            transitions=self.transitions,
            motion_moments=self.moments,
            faces=self.faces,
            hook=hook,
            audio=self.audio,
            pattern=pattern,
            analysers=tuple(self._analysers),
        )
