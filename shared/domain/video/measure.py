"""Puts the report together from one decode: pictures, sound, and how they go together."""

import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from shared.domain.video.detector import AnalyserUnavailable, Detector
from shared.domain.video.faces import FaceDetector, engagement_of, summarize
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
from shared.domain.video.rhythm import Rhythm, find_rhythm
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
    task: dict[str, Any], limits: Limits, on_progress: Callable[[float, str], None]
) -> dict[str, Any]:
    """The Analysis of the video that `task` names, as plain JSON; runs in the child process."""
    cv2.setNumThreads(1)
    detectors: dict[str, Callable[[], Detector]] = {
        **DETECTORS,
        "faces": partial(FaceDetector, limits.face_model),
    }
    reading = Reading(detectors, limits)
    reading.read(Path(task["path"]), task["demuxer"], on_progress)
    on_progress(0.9, "scenes")
    report = Report(reading)
    report.see()
    on_progress(0.94, "audio")
    report.hear()
    on_progress(0.99, "pattern")
    return report.finish(task["video_id"], datetime.fromisoformat(task["extracted_at"]))


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
        self.transitions: tuple[Transition, ...] = self._take("scenes", ())
        energies = self._take("motion", np.zeros(len(self._at)))
        faces: Faces = self._take("faces", summarize((), None))
        self.energies = calm_cuts(energies, self.transitions)
        self.moments = cut_windows(self.energies, self._at, self._end, self.transitions, faces)
        known = faces.share is not None
        engagement = engagement_of(self.moments) if known else None
        self.faces = faces.model_copy(update={"engagement": engagement})

    def hear(self) -> None:
        """Rhythm, loudness, speech, and sound against picture."""
        mono = self._reading.sound.mono()
        if not len(mono):
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
        rhythm = self._moved(find_rhythm(mono))
        loudness = self._reading.sound.meter.result()
        spent = self._reading.sound_seconds + time.perf_counter() - began
        self._ran("audio", spent, self._reading.sound_problem)
        speech = self._speech(mono)
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

    def _speech(self, mono: Any) -> tuple[Speech, ...]:
        began = time.perf_counter()
        try:
            # Only videos with sound pay for loading the network's runtime.
            from shared.domain.video.speech import find_speech

            found = find_speech(mono)
        except (AnalyserUnavailable, ImportError) as problem:
            self._analysers.append(
                Analyser(name="speech", status="unavailable", reason=str(problem))
            )
            return ()
        self._ran("speech", time.perf_counter() - began)
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

    def finish(self, video_id: str, extracted_at: datetime) -> dict[str, Any]:
        """The hook, the pattern and the whole report as plain JSON."""
        start = self._at[0]
        heard = self._reading.sound.mono() if len(self._reading.sound.mono()) else None
        silent = np.zeros(0, np.float32) if not self._reading.media.has_audio else None
        contrasts = self._take("hook", [])
        hook = score_hook(
            {
                "motion": motion_signal(self.energies, self._at),
                "cuts": cut_signal(self.transitions, self._at),
                "faces": face_signal(self.faces, start),
                "contrast": contrast_signal(contrasts),
                "sound": sound_signal(silent if heard is None else heard, self._offset - start),
            }
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
        analysis = Analysis(
            video_id=video_id,
            media=self._reading.media,
            cuts=tuple(t.start_frame for t in self.transitions if t.kind == "cut"),
            shots=shots_between(self.transitions, self._at, self._end),
            transitions=self.transitions,
            motion_moments=self.moments,
            faces=self.faces,
            hook=hook,
            audio=self.audio,
            pattern=pattern,
            analysers=tuple(self._analysers),
        )
        return analysis.model_dump(mode="json")
