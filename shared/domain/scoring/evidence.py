"""What scoring works with, from the stored records of a video."""

from datetime import datetime

from shared.inference_models import AudioQuality, Emotions, Inference, SeenObject, TextLine, Word
from shared.models import Analysis, Box
from shared.score_models import (
    AdFacts,
    EmotionSample,
    Sighting,
    Signals,
    SoundQuality,
    SpokenWord,
)
from shared.score_models import TextLine as ScoredLine


def signals_of_video(
    analysis: Analysis, inference: Inference, ad: AdFacts, scored_at: datetime
) -> Signals:
    """The signals of a video; what an analyser could not give stays None."""
    words = inference.transcript.words if inference.transcript is not None else None
    return Signals(
        analysis=analysis,
        text=None if inference.text is None else tuple(map(_line, inference.text)),
        words=None if words is None else tuple(map(_word, words)),
        sightings=None if inference.objects is None else tuple(map(_sighting, inference.objects)),
        emotions=_emotions(inference.emotions),
        sound=_sound(inference.audio_quality),
        embedding=inference.embeddings.whole if inference.embeddings is not None else None,
        ad=ad,
        scored_at=scored_at,
    )


def _area(box: Box) -> float:
    return min(1.0, max(0.0, box.width * box.height))


def _line(line: TextLine) -> ScoredLine:
    return ScoredLine(
        start_seconds=line.start_seconds,
        end_seconds=line.end_seconds,
        text=line.text,
        confidence=line.confidence,
        coverage=_area(line.box),
    )


def _word(word: Word) -> SpokenWord:
    return SpokenWord(
        start_seconds=word.start_seconds, end_seconds=word.end_seconds, text=word.word
    )


def _sighting(seen: SeenObject) -> Sighting:
    return Sighting(
        at_seconds=seen.at_seconds,
        label=seen.label,
        confidence=seen.confidence,
        area=_area(seen.box),
    )


def _emotions(emotions: Emotions) -> tuple[EmotionSample, ...] | None:
    if emotions.faces is None:
        return None
    return tuple(
        EmotionSample(at_seconds=face.at_seconds, shares=face.scores) for face in emotions.faces
    )


def _sound(quality: AudioQuality | None) -> SoundQuality | None:
    if quality is None:
        return None
    return SoundQuality(
        noise_db=quality.snr_db,
        clipped_share=quality.clipped_share,
        reverberation_seconds=quality.reverberation_seconds,
    )
