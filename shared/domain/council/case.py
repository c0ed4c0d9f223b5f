"""The case: what is known of a video, bounded, as every judge gets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.clip_models import Clip
from shared.council_models import Media
from shared.domain.council.quoting import plain
from shared.domain.patterns.clips import Ad, best_clips, build_clips
from shared.inference_models import Inference, TextLine
from shared.models import Analysis
from shared.score_models import AdFacts, Score, ScoreCard

NAME_CHARACTERS = 120
LINE_CHARACTERS, MOST_LINES = 200, 60
TRANSCRIPT_CHARACTERS = 4_000
CLIP_CHARACTERS = 300
MOST_SIGNALS, MOST_SHOTS, MOST_INTERESTS = 120, 60, 20
FEATURES_TOLD = {"call_to_action": "has_call_to_action", "emotion_intensity": "emotion_strongest"}
"""Features that are signals by themselves; the scores sum up the others."""

Signal = float | str | None


@dataclass(frozen=True)
class Case:
    """One video before the council; None means that nobody looked, not that there is nothing.

    `clips` are its shots, the best first; `ad` is what its owner says of it.
    """

    analysis: Analysis
    name: str = ""
    lines: tuple[TextLine, ...] | None = None
    transcript: str | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    media: tuple[Media, ...] = ()
    clips: tuple[Clip, ...] = ()
    ad: AdFacts = field(default_factory=AdFacts)

    @property
    def seconds(self) -> float:
        """How long the video is."""
        return self.analysis.media.duration_seconds

    @property
    def outside_texts(self) -> Iterator[str]:
        """Everything that the video's maker wrote or said."""
        yield self.name
        yield from (line.text for line in self.lines or ())
        yield self.transcript or ""
        yield from (value for value in self.signals.values() if isinstance(value, str))
        # Lines that are harmless one by one stand together in a clip.
        yield from (text for clip in self.clips for text in (clip.text, clip.transcript) if text)
        ad = self.ad
        yield from (ad.platform, ad.industry, ad.headline, ad.call_to_action)
        yield from ad.audience.interests


def read_case(
    analysis: Analysis,
    name: str,
    inference: Inference,
    card: ScoreCard | None = None,
    *,
    media: tuple[Media, ...] = (),
    ad: AdFacts | None = None,
) -> Case:
    """The case of a video from its records; what they lack is None.

    Its clips are those that the index of patterns is going to keep: the same function makes them.
    """
    source = Ad(tenant_id="", name=name, made_at=analysis.pattern.extracted_at)
    scores, prediction = (card.scores, card.prediction) if card else (None, None)
    clips = [one.clip for one in build_clips(analysis, source, inference, scores, prediction).clips]
    return Case(
        analysis=analysis,
        name=name,
        lines=inference.text,
        transcript=None if inference.transcript is None else inference.transcript.text,
        signals=dict(_signals(card)) if card else {},
        media=media,
        clips=best_clips(clips, len(clips)),
        ad=ad or AdFacts(),
    )


def facts_of(case: Case, most_clips: int) -> dict[str, Any]:
    """What a language model is told: numbers of ours, and texts cleaned and cut."""
    report = case.analysis
    lines = None if case.lines is None else case.lines[:MOST_LINES]
    return {
        "file_name": plain(case.name, NAME_CHARACTERS) or None,
        "seconds": round(case.seconds, 2),
        "width": report.media.width,
        "height": report.media.height,
        "shots": [
            [round(shot.start_seconds, 2), round(shot.end_seconds, 2)]
            for shot in report.shots[:MOST_SHOTS]
        ],
        "hook": {"score_0_to_1": report.hook.hook_score, "type": plain(report.hook.hook_type, 60)},
        "faces_share_of_time": report.faces.share,
        "sound": _sound_of(case) if report.media.has_audio else None,
        "text_on_screen": None
        if lines is None
        else [
            [round(line.start_seconds, 2), round(line.end_seconds, 2), text]
            for line in lines
            if (text := plain(line.text, LINE_CHARACTERS))
        ],
        "transcript": None
        if case.transcript is None
        else plain(case.transcript, TRANSCRIPT_CHARACTERS),
        "best_moments": _moments(case.clips[:most_clips]),
        "said_by_its_owner": _ad(case.ad),
        "signals": {
            plain(name, 80): plain(value, LINE_CHARACTERS) if isinstance(value, str) else value
            for name, value in list(case.signals.items())[:MOST_SIGNALS]
        },
    }


def _sound_of(case: Case) -> dict[str, Any]:
    audio = case.analysis.audio
    return {
        "tempo_bpm": audio.tempo_bpm,
        "loudness_lufs": audio.loudness_lufs,
        "speech": [
            [round(part.start_seconds, 2), round(part.end_seconds, 2)] for part in audio.speech[:60]
        ],
        "sync_quality_0_to_1": audio.sync.sync_quality,
    }


def _moments(clips: tuple[Clip, ...]) -> list[dict[str, Any]]:
    """The clips in a bounded form; what nobody read or heard is None."""
    return [
        {
            "rank": clip.rank,
            "start_seconds": round(clip.start_seconds, 2),
            "end_seconds": round(clip.end_seconds, 2),
            "score_0_to_1": None if clip.score is None else round(clip.score, 3),
            "text_on_screen": _cut(clip.text),
            "said": _cut(clip.transcript),
            "hook_type": clip.hook_type,
        }
        for clip in clips
    ]


def _cut(text: str | None) -> str | None:
    return None if text is None else plain(text, CLIP_CHARACTERS)


def _ad(ad: AdFacts) -> dict[str, Any]:
    """What the owner says, without what the owner did not say."""
    audience = ad.audience
    told = {
        "platform": plain(ad.platform, 40),
        "industry": plain(ad.industry, 80),
        "headline": plain(ad.headline, LINE_CHARACTERS),
        "call_to_action": plain(ad.call_to_action, 80),
        "audience_age_from": audience.age_from,
        "audience_age_to": audience.age_to,
        "audience_interests": [plain(one, 60) for one in audience.interests[:MOST_INTERESTS]],
        "audience_language": plain(audience.language or "", 20),
    }
    return {name: value for name, value in told.items() if value not in ("", None, [])}


def _signals(card: ScoreCard) -> Iterator[tuple[str, Signal]]:
    """Scores, hook and prediction by name."""
    scores, prediction = card.scores, card.prediction
    for name in type(scores).model_fields:
        value = getattr(scores, name)
        if isinstance(value, Score):
            yield name, value.value
    yield "hook.kind", scores.hook.kind
    yield "hook.strength", scores.hook.strength
    yield "language", scores.language
    for name, feature in FEATURES_TOLD.items():
        yield name, scores.features.get(feature)
    yield f"prediction.{prediction.target}", prediction.value
    for name in ("low", "high", "band", "confidence"):
        yield f"prediction.{name}", getattr(prediction, name)
