"""The heavy inference of one video: what its networks say, and which of them could not."""

import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.audio_quality import measure_quality
from shared.domain.inference.emotions import (
    FACE_SIDE,
    FacePicture,
    open_face_emotions,
    open_speech_emotions,
)
from shared.domain.inference.engines import open_sentences
from shared.domain.inference.meaning import embed_video
from shared.domain.inference.objects import ShotPicture, open_detector, persons_among
from shared.domain.inference.parts import Parts, open_parts
from shared.domain.inference.patterns import open_patterns
from shared.domain.inference.recognition import open_recogniser
from shared.domain.inference.text import coverage_of
from shared.domain.video.child import Progress, read_in_child
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.sniff import sniff_container
from shared.inference_models import (
    Emotions,
    Inference,
    InferenceAnalyser,
    Transcript,
)
from shared.models import Analysis, Box, InferenceTools, Limits

Found = TypeVar("Found")

# Faces are looked at so often; expressions last longer.
FACE_EVERY_SECONDS = 1.0
MAX_FACE_SAMPLES = 200


def infer_video(
    path: Path,
    analysis: Analysis,
    *,
    limits: Limits,
    tools: InferenceTools,
    transcript: Transcript | None = None,
    on_progress: Progress | None = None,
) -> Inference:
    """What the networks find in the video at `path`, of which `analysis` is the report.

    A given `transcript` takes the place of the recogniser. What cannot run is `unavailable` with
    the reason. Raises a refusal (shared/domain/video/refusals.py) when the file cannot be read.
    """
    task = {
        "do": "infer",
        "path": str(path.resolve()),
        "demuxer": sniff_container(path, limits),
        "limits": limits.model_dump(),
    }
    with open_parts(tools) as parts:
        run = Run(analysis, tools, transcript, parts)
        answer = read_in_child({**task, **run.wishes()}, limits, on_progress, parts.take)
        return run.finish(answer)


@dataclass(frozen=True)
class Opened:
    """A network ready to run, and how long it took to open it."""

    network: Any
    seconds: float


class Run:
    """The inference of one video: opens what there is, and concludes from the child's parts."""

    def __init__(
        self,
        analysis: Analysis,
        tools: InferenceTools,
        transcript: Transcript | None,
        parts: Parts,
    ) -> None:
        self._analysis, self._transcript, self._parts = analysis, transcript, parts
        self._analysers: list[InferenceAnalyser] = []
        folder = Path(tools.models)
        self._objects = self._open("objects", lambda: open_detector(tools.object_model, folder))
        self._patterns = self._open("visual_pattern", lambda: open_patterns(folder))
        self._recogniser = self._face_emotions = self._speech_emotions = None
        if self._can_hear("transcript") and not self._given():
            self._recogniser = self._open("transcript", lambda: open_recogniser(folder))
        if self._has_faces():
            self._face_emotions = self._open("face_emotions", lambda: open_face_emotions(folder))
        if self._can_hear("speech_emotions"):
            self._speech_emotions = self._open(
                "speech_emotions", lambda: open_speech_emotions(folder)
            )
        self._sentences = self._open(
            "embeddings", lambda: open_sentences(tools.sentence_engine, folder)
        )

    def _open(self, name: str, work: Callable[[], Any]) -> Opened | None:
        began = time.perf_counter()
        try:
            return Opened(work(), time.perf_counter() - began)
        except AnalyserUnavailable as problem:
            self._analysers.append(
                InferenceAnalyser(name=name, status="unavailable", reason=str(problem))
            )
            return None

    def _skip(self, name: str, reason: str) -> None:
        self._analysers.append(InferenceAnalyser(name=name, status="skipped", reason=reason))

    def _ran(self, name: str, seconds: float, provider: str = "", reason: str = "") -> None:
        kind: Any = provider
        self._analysers.append(
            InferenceAnalyser(
                name=name, status="ran", seconds=round(seconds, 4), provider=kind, reason=reason
            )
        )

    def _can_hear(self, name: str) -> bool:
        """Whether somebody speaks, or nobody looked whether somebody does."""
        if name == "transcript" and self._given():
            return True
        if not self._analysis.media.has_audio:
            self._skip(name, "the video has no audio track")
            return False
        known = any(a.name == "speech" and a.status == "ran" for a in self._analysis.analysers)
        if known and not self._analysis.audio.speech:
            self._skip(name, "nobody speaks")
            return False
        return True

    def _given(self) -> bool:
        return self._transcript is not None

    def _has_faces(self) -> bool:
        faces = self._analysis.faces
        if faces.share is None:
            self._skip("face_emotions", "the analysis could not look for faces")
        elif not any(sample.boxes for sample in faces.samples):
            self._skip("face_emotions", "no face was seen")
        else:
            return True
        return False

    def wishes(self, had: tuple[str, ...] = ()) -> dict[str, Any]:
        """What the child shall hand over, less what it did."""
        wants = ["text", "quality"]
        wants += ["frames"] if self._objects or self._patterns else []
        wants += ["faces"] if self._face_emotions else []
        wants += ["sound"] if self._recogniser or self._speech_emotions else []
        shots = [[shot.start_seconds, shot.end_seconds] for shot in self._analysis.shots]
        wants = [name for name in wants if name not in had]
        return {"wants": wants, "shots": shots, "faces": self._face_samples()}

    def _face_samples(self) -> list[dict[str, Any]]:
        chosen: list[dict[str, Any]] = []
        for sample in self._analysis.faces.samples:
            early = chosen and sample.at_seconds < chosen[-1]["at"] + FACE_EVERY_SECONDS
            if sample.boxes and not early and len(chosen) < MAX_FACE_SAMPLES:
                boxes = [[b.left, b.top, b.width, b.height] for b in sample.boxes]
                chosen.append({"at": sample.at_seconds, "boxes": boxes})
        return chosen

    def finish(self, answer: dict[str, Any]) -> Inference:
        """The record, from everything taken and the child's last word."""
        spent = answer["seconds"]
        self._ran("sampling", spent["reading"])
        found: dict[str, Any] = self._read_text(spent["text"], answer["skipped_reads"])
        pictures = [as_picture(part) for part in self._parts.frames]
        if self._objects:
            objects = self._use("objects", self._objects, lambda network: network.see(pictures))
            found["objects"] = objects
            if objects is not None:
                found["persons"] = persons_among(objects, self._analysis.shots)
        if self._patterns:
            found["visual_pattern"] = self._use(
                "visual_pattern", self._patterns, lambda network: network.see(pictures)
            )
        found |= self._hear(answer)
        found["emotions"] = self._feel()
        found["embeddings"] = self._embed(found)
        return Inference(
            video_id=self._analysis.video_id, analysers=tuple(self._analysers), **found
        )

    def _use(self, name: str, opened: Opened, work: Callable[[Any], Found]) -> Found | None:
        began = time.perf_counter()
        try:
            found = work(opened.network)
        except AnalyserUnavailable as problem:
            self._analysers.append(
                InferenceAnalyser(name=name, status="unavailable", reason=str(problem))
            )
            return None
        seconds = opened.seconds + time.perf_counter() - began
        self._ran(name, seconds, opened.network.provider)
        return found

    def _read_text(self, child_seconds: float, skipped: int) -> dict[str, Any]:
        text = self._parts.text
        text.finish()
        if text.track is None:
            self._analysers.append(
                InferenceAnalyser(name="text", status="unavailable", reason=text.problem)
            )
            return {}
        began = time.thread_time()
        shots = self._analysis.shots
        first = shots[0].start_seconds if shots else 0.0
        end = first + self._analysis.media.duration_seconds
        lines = text.track.lines(end)
        seconds = child_seconds + text.seconds + time.thread_time() - began
        reason = f"{skipped} times what changed was read late, or gone before" if skipped else ""
        self._ran("text", seconds, text.provider, reason)
        return {"text": lines, "text_coverage": coverage_of(lines, first, end)}

    def _hear(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The quality of the sound, and what is said."""
        found: dict[str, Any] = {"transcript": self._transcript}
        heard = answer["sound"]
        if self._transcript is not None:
            self._ran("transcript", 0.0, reason="from the captions that were given")
        elif self._recogniser:
            sound = samples_of(self._parts)
            found["transcript"] = self._use(
                "transcript",
                self._recogniser,
                lambda network: network.transcribe(sound, self._parts.sound_start),
            )
        if heard is None:
            has = self._analysis.media.has_audio
            reason = "nothing of the audio track could be decoded"
            self._skip("audio_quality", reason if has else "the video has no audio track")
            return found
        began = time.perf_counter()
        powers = np.frombuffer(b64decode(heard["powers"]), "<f4")
        found["audio_quality"] = measure_quality(
            powers, heard["clipped_share"], self._analysis.audio.speech, heard["start"]
        )
        seconds = answer["seconds"]["sound"] + time.perf_counter() - began
        self._ran("audio_quality", seconds, reason=answer["sound_problem"])
        return found

    def _feel(self) -> Emotions:
        faces = speech = None
        if self._face_emotions:
            pictures = self._face_pictures()
            faces = self._use(
                "face_emotions", self._face_emotions, lambda network: network.see(pictures)
            )
        if self._speech_emotions:
            sound, spoken = samples_of(self._parts), self._analysis.audio.speech
            speech = self._use(
                "speech_emotions",
                self._speech_emotions,
                lambda network: network.hear(sound, self._parts.sound_start, spoken),
            )
        return Emotions(faces=faces, speech=speech)

    def _face_pictures(self) -> list[FacePicture]:
        boxes = {sample["at"]: sample["boxes"] for sample in self._face_samples()}
        found = []
        for part in self._parts.faces:
            left, top, width, height = boxes[part["at"]][part["box"]]
            grey = np.frombuffer(b64decode(part["grey"]), np.uint8).reshape(FACE_SIDE, FACE_SIDE)
            box = Box(left=left, top=top, width=width, height=height)
            found.append(FacePicture(part["at"], box, grey))
        return found

    def _embed(self, found: dict[str, Any]) -> Any:
        if not self._sentences:
            return None
        lines, words = found.get("text") or (), self._transcript_words(found)
        if not lines and not words:
            lacking = [a.name for a in self._analysers if a.status == "unavailable"]
            unknown = [name for name in ("text", "transcript") if name in lacking]
            reason = f"without {' and '.join(unknown)} there are no words" if unknown else ""
            self._skip("embeddings", reason or "nothing is said or written")
            return None
        return self._use(
            "embeddings",
            self._sentences,
            lambda network: embed_video(network, self._analysis.shots, lines, words),
        )

    def _transcript_words(self, found: dict[str, Any]) -> tuple[Any, ...]:
        transcript = found.get("transcript")
        return transcript.words if transcript is not None else ()


def samples_of(parts: Parts) -> NDArray[np.float32]:
    """All sound that was handed over, -1 to 1."""
    return np.frombuffer(b"".join(parts.sound), np.int16).astype(np.float32) / np.float32(32768)


def as_picture(part: dict[str, Any]) -> ShotPicture:
    """The picture of a shot from the child's JPEG."""
    picture = cv2.imdecode(np.frombuffer(b64decode(part["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    return ShotPicture(part["shot"], part["at"], np.asarray(picture, np.uint8))
