"""The features of pictures and sound: movement, cuts, faces, format, quality."""

from collections.abc import Callable
from functools import partial
from statistics import fmean, pstdev
from typing import get_args

from shared.domain.scoring.feature import Case, Feature
from shared.models import Analysis
from shared.score_models import PictureKind

ANALYSIS = "analysis"
FULL_SIDE_PIXELS = 1080
STRONG_MOTION = 4.0
GOOD_FPS = 30.0
# Platforms play at about -14 LUFS: what is 14 dB off is spoilt, by loudness or by being faint.
LOUDNESS_LUFS, LOUDNESS_SPAN = -14.0, 14.0
QUIET_NOISE_DB, LOUD_NOISE_DB = 40.0, 5.0
FULL_CLIPPING = 0.02
LONG_ECHO_SECONDS = 1.5

Measure = Callable[[Case], float | None]


def of_analysis(measure: Callable[[Analysis], float | None]) -> Measure:
    """A measure of the report, None without one."""

    def measured(case: Case) -> float | None:
        return None if case.signals.analysis is None else measure(case.signals.analysis)

    return measured


def _energies(analysis: Analysis) -> list[float]:
    return [moment.motion_energy for moment in analysis.motion_moments]


def _opening_energy(analysis: Analysis) -> float | None:
    early = [m.motion_energy for m in analysis.motion_moments if m.timestamp_start < 3.0]
    return fmean(early) if early else None


def _gradual(analysis: Analysis) -> float:
    found = analysis.transitions
    return sum(t.kind != "cut" for t in found) / len(found) if found else 0.0


def scene_seconds(case: Case) -> list[float] | None:
    """The length of each scene, of the video's shots or the storyboard's scenes."""
    analysis = case.signals.analysis
    if analysis is None:
        return None if case.signals.scene_seconds is None else [*case.signals.scene_seconds]
    return [shot.end_seconds - shot.start_seconds for shot in analysis.shots]


def _of_scenes(measure: Callable[[list[float]], float]) -> Measure:
    def measured(case: Case) -> float | None:
        scenes = scene_seconds(case)
        return measure(scenes) if scenes else None

    return measured


def cut_rate(case: Case) -> float | None:
    """Changes of scene a second."""
    scenes = scene_seconds(case)
    return (len(scenes) - 1) / sum(scenes) if scenes and sum(scenes) > 0 else None


def _first_change(scenes: list[float]) -> float:
    return scenes[0]


def _picture(kind: PictureKind, case: Case) -> float | None:
    return None if case.signals.pictures is None else case.signals.pictures.get(kind, 0.0)


def resolution_score(analysis: Analysis) -> float:
    """The short side / 1080 pixels, at most 1."""
    return min(1.0, min(analysis.media.width, analysis.media.height) / FULL_SIDE_PIXELS)


def motion_score(analysis: Analysis) -> float:
    """The mean energy / 4, at most 1."""
    return min(1.0, fmean(_energies(analysis) or [0.0]) / STRONG_MOTION)


def audio_quality(case: Case) -> float | None:
    """The mean of loudness, noise, clipping and echo, each 0-1, as far as they are known."""
    analysis, sound = case.signals.analysis, case.signals.sound
    parts: list[float] = []
    if analysis and analysis.audio.loudness_lufs is not None:
        off = abs(analysis.audio.loudness_lufs - LOUDNESS_LUFS)
        parts.append(max(0.0, 1 - off / LOUDNESS_SPAN))
    if sound and sound.snr_db is not None:
        span = QUIET_NOISE_DB - LOUD_NOISE_DB
        parts.append(min(1.0, max(0.0, (sound.snr_db - LOUD_NOISE_DB) / span)))
    if sound:
        parts.append(max(0.0, 1 - sound.clipped_share / FULL_CLIPPING))
    if sound and sound.reverberation_seconds is not None:
        parts.append(max(0.0, 1 - sound.reverberation_seconds / LONG_ECHO_SECONDS))
    return fmean(parts) if parts else None


def _bitrate(case: Case) -> float | None:
    size, seconds = case.signals.ad.size_bytes, case.seconds
    return size * 8 / 1000 / seconds if size and seconds else None


def has_captions(case: Case) -> float | None:
    """1 when words are on screen for half of the time that somebody speaks."""
    analysis, lines = case.signals.analysis, case.signals.text
    if lines is None or analysis is None or not analysis.audio.speech:
        return None
    spoken = shown = 0.0
    for speech in analysis.audio.speech:
        spoken += speech.end_seconds - speech.start_seconds
        shown += max(
            (
                min(line.end_seconds, speech.end_seconds)
                - max(line.start_seconds, speech.start_seconds)
                for line in lines
            ),
            default=0.0,
        )
    return float(shown >= spoken / 2)


def _speech_share(analysis: Analysis) -> float | None:
    if not analysis.media.duration_seconds:
        return None
    spoken = sum(s.end_seconds - s.start_seconds for s in analysis.audio.speech)
    return min(1.0, spoken / analysis.media.duration_seconds)


def _aspect(analysis: Analysis) -> float:
    return analysis.media.width / analysis.media.height


def _visual(
    name: str, formula: str, unit: str, measure: Measure, source: str = ANALYSIS
) -> Feature:
    return Feature(name, "visual", formula, source, unit, measure)


def _technical(
    name: str, formula: str, unit: str, measure: Measure, source: str = ANALYSIS
) -> Feature:
    return Feature(name, "technical", formula, source, unit, measure)


SCENES = "analysis, else storyboard"
ENERGY = "mean flow / diagonal x 1000"
FEATURES = (
    _visual(
        "visual_energy",
        "mean of motion_moments[].motion_energy",
        ENERGY,
        of_analysis(lambda a: fmean(_energies(a)) if _energies(a) else None),
    ),
    _visual(
        "peak_energy",
        "largest peak_energy",
        ENERGY,
        of_analysis(lambda a: max((m.peak_energy for m in a.motion_moments), default=None)),
    ),
    _visual("opening_energy", "mean energy of the first 3 s", ENERGY, of_analysis(_opening_energy)),
    _visual(
        "energy_spread",
        "standard deviation of the energies",
        ENERGY,
        of_analysis(lambda a: pstdev(_energies(a)) if _energies(a) else None),
    ),
    _visual(
        "transition_count", "transitions", "count", of_analysis(lambda a: float(len(a.transitions)))
    ),
    _visual("gradual_share", "fades and dissolves / transitions", "0-1", of_analysis(_gradual)),
    _visual("scene_count", "scenes", "count", _of_scenes(lambda s: float(len(s))), SCENES),
    _visual("cut_rate", "changes of scene / length", "a second", cut_rate, SCENES),
    _visual("scene_mean", "mean length of a scene", "seconds", _of_scenes(fmean), SCENES),
    _visual("scene_shortest", "shortest scene", "seconds", _of_scenes(min), SCENES),
    _visual(
        "first_change_at", "end of the first scene", "seconds", _of_scenes(_first_change), SCENES
    ),
    _visual("face_share", "faces.share", "0-1", of_analysis(lambda a: a.faces.share)),
    _visual(
        "face_most",
        "faces.max_count",
        "count",
        of_analysis(lambda a: None if a.faces.max_count is None else float(a.faces.max_count)),
    ),
    _visual(
        "face_engagement", "faces.engagement", "0-1", of_analysis(lambda a: a.faces.engagement)
    ),
    *(
        _visual(
            f"picture_is_{kind}",
            f"share of scenes that show {kind}".replace("_", " "),
            "0-1",
            partial(_picture, kind),
            "visual pattern, else storyboard",
        )
        for kind in get_args(PictureKind)
    ),
    _technical(
        "resolution_score", "short side / 1080, at most 1", "0-1", of_analysis(resolution_score)
    ),
    _technical(
        "audio_quality",
        "mean of loudness near -14 LUFS, little noise, clipping, echo",
        "0-1",
        audio_quality,
        "analysis, sound quality",
    ),
    _technical("motion_score", "mean energy / 4, at most 1", "0-1", of_analysis(motion_score)),
    _technical("fps", "media.fps", "frames a second", of_analysis(lambda a: a.media.fps)),
    _technical("bitrate", "size / length", "kbit a second", _bitrate, "ad facts, analysis"),
    _technical(
        "has_captions",
        "words on screen during half of the speech",
        "0 or 1",
        has_captions,
        "text on screen, analysis",
    ),
    _technical(
        "is_vertical", "higher than wide", "0 or 1", of_analysis(lambda a: float(_aspect(a) < 1))
    ),
    _technical("aspect", "width / height", "ratio", of_analysis(_aspect)),
    _technical("duration", "length", "seconds", lambda case: case.seconds, SCENES),
    _technical(
        "has_audio", "media.has_audio", "0 or 1", of_analysis(lambda a: float(a.media.has_audio))
    ),
    _technical(
        "loudness", "audio.loudness_lufs", "LUFS", of_analysis(lambda a: a.audio.loudness_lufs)
    ),
    _technical(
        "tempo", "audio.tempo_bpm", "beats a minute", of_analysis(lambda a: a.audio.tempo_bpm)
    ),
    _technical(
        "sync_quality",
        "audio.sync.sync_quality",
        "0-1",
        of_analysis(lambda a: a.audio.sync.sync_quality),
    ),
    _technical("speech_share", "time of speech / length", "0-1", of_analysis(_speech_share)),
    _technical("is_hdr", "media.hdr", "0 or 1", of_analysis(lambda a: float(a.media.hdr))),
)
