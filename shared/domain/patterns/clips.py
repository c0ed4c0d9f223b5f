"""Clips: each shot of an ad as a record with what is known of it, ranked against its neighbours."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.clip_models import AdRecord, Clip, ClipSet, ClipVector
from shared.domain.scoring.hook_types import find_hooks
from shared.domain.scoring.parts import Part, weigh
from shared.inference_models import Inference, SeenObject, TextLine, Word
from shared.models import Analysis, Record, Shot
from shared.score_models import Prediction, Scores

DIGITS = 4
MAX_TEXT_CHARACTERS = 4_000
FULL_TEXT_SHARE, FULL_OBJECTS = 0.5, 3.0
# The documents ask for ranked clips and name no formula: the weights are our judgement. The ad's
# own score counts least, for it is the same for all clips of one ad.
WEIGHTS = {
    "motion": 0.25,
    "face_share": 0.25,
    "hook": 0.2,
    "text_share": 0.1,
    "object_variety": 0.1,
    "ad": 0.1,
}


class Ad(Record):
    """What is known of an ad besides its pictures."""

    tenant_id: str
    name: str = ""
    path: str = ""
    platform: str = ""
    contact_sheet: str | None = None
    made_at: datetime


def build_clips(
    analysis: Analysis,
    ad: Ad,
    inference: Inference | None = None,
    scores: Scores | None = None,
    prediction: Prediction | None = None,
) -> ClipSet:
    """The clips of one ad in the order of the shots; what nobody measured stays None."""
    found = inference or Inference(video_id=analysis.video_id, analysers=())
    overall = None if scores is None else scores.overall.value
    drafts = [_clip(analysis, number, ad, found, overall) for number in range(len(analysis.shots))]
    ctr = prediction.value if prediction is not None and prediction.target == "ctr" else None
    ranks = _ranks([clip.score for clip in drafts])
    clips = [
        clip.model_copy(update={"rank": rank, "predicted_ctr": ctr})
        for clip, rank in zip(drafts, ranks, strict=True)
    ]
    vectors = found.embeddings
    by_shot = {one.shot: one.vector for one in vectors.shots} if vectors else {}
    return ClipSet(
        video_id=analysis.video_id,
        made_at=ad.made_at,
        model=vectors.model if vectors else "",
        clips=tuple(ClipVector(clip=clip, vector=by_shot.get(clip.shot)) for clip in clips),
        whole=vectors.whole if vectors and any(vectors.whole) else None,
    )


def best_clips(clips: Iterable[Clip], count: int) -> tuple[Clip, ...]:
    """The `count` clips that the council looks at, best rank first."""
    return tuple(sorted(clips, key=lambda clip: (clip.rank, clip.clip_id))[:count])


def ad_record(ads: ClipSet, scores: Scores | None) -> AdRecord:
    """An ad as it is compared with others, before anybody reports results."""
    first = ads.clips[0].clip if ads.clips else None
    return AdRecord(
        video_id=ads.video_id,
        name=first.name if first else "",
        made_at=ads.made_at,
        clips=len(ads.clips),
        hook_type=scores.hook.kind if scores else None,
        score=scores.overall.value if scores else None,
        predicted_ctr=first.predicted_ctr if first else None,
    )


def clip_id_of(video_id: str, shot: int) -> str:
    """The same name on every run; names in order of the shots."""
    return f"{video_id}-{shot:04d}"


def _clip(analysis: Analysis, number: int, ad: Ad, found: Inference, overall: float | None) -> Clip:
    shot = analysis.shots[number]
    text = None if found.text is None else _text(shot, found.text)
    said = None if found.transcript is None else _said(shot, found.transcript.words)
    objects = None if found.objects is None else _labels(number, found.objects)
    hook, strength = _hook(text, said)
    features = {
        "motion": _motion(shot, analysis),
        "face_share": _face_share(shot, analysis),
        "hook": strength,
        "text_share": None if found.text is None else _text_share(shot, found.text),
        "object_variety": None if objects is None else min(1.0, len(objects) / FULL_OBJECTS),
        "ad": overall,
    }
    score = weigh({name: Part(weight, features[name]) for name, weight in WEIGHTS.items()})
    return Clip(
        clip_id=clip_id_of(analysis.video_id, number),
        video_id=analysis.video_id,
        tenant_id=ad.tenant_id,
        shot=number,
        name=ad.name,
        path=ad.path,
        start_seconds=shot.start_seconds,
        end_seconds=shot.end_seconds,
        thumbnail_path=ad.contact_sheet,
        transcript=said,
        text=text,
        objects=objects,
        has_face=None if features["face_share"] is None else features["face_share"] > 0,
        features={k: None if v is None else round(v, DIGITS) for k, v in features.items()},
        score=score.value,
        hook_type=hook,
        platform=ad.platform,
        language=found.transcript.language if found.transcript else "",
        rank=1,
        made_at=ad.made_at,
    )


def _ranks(scores: Sequence[float | None]) -> list[int]:
    """1 for the highest; equal ones in the order of the shots, unknown ones last."""
    order = sorted(range(len(scores)), key=lambda i: (scores[i] is None, -(scores[i] or 0.0), i))
    return [order.index(i) + 1 for i in range(len(scores))]


def _overlap(shot: Shot, start: float, end: float) -> float:
    return max(0.0, min(shot.end_seconds, end) - max(shot.start_seconds, start))


def _text(shot: Shot, lines: Iterable[TextLine]) -> str:
    here = [o.text for o in lines if _overlap(shot, o.start_seconds, o.end_seconds) > 0]
    return "\n".join(dict.fromkeys(here))[:MAX_TEXT_CHARACTERS]


def _said(shot: Shot, words: Iterable[Word]) -> str:
    """The words whose middle is in the shot, so that each word belongs to one clip."""
    here = [
        word.word.strip()
        for word in words
        if shot.start_seconds <= (word.start_seconds + word.end_seconds) / 2 < shot.end_seconds
    ]
    return " ".join(here)[:MAX_TEXT_CHARACTERS]


def _labels(shot: int, seen: Iterable[SeenObject]) -> tuple[str, ...]:
    surest: dict[str, float] = {}
    for one in seen:
        if one.shot == shot:
            surest[one.label] = max(one.confidence, surest.get(one.label, 0.0))
    return tuple(sorted(surest, key=lambda label: (-surest[label], label)))


def _hook(text: str | None, said: str | None) -> tuple[str | None, float | None]:
    """The strongest hook in what is written or said, for a clip may open another ad."""
    if text is None and said is None:
        return None, None
    matches = [match for words in (text, said) if words for match in find_hooks(words)]
    if not matches:
        return "none", 0.0
    best = max(matches, key=lambda match: match.strength * match.confidence)
    return best.name, best.strength * best.confidence


def _motion(shot: Shot, analysis: Analysis) -> float | None:
    """The shot's mean motion energy as a share of the ad's liveliest window, 0-1."""
    windows = [
        (_overlap(shot, one.timestamp_start, one.timestamp_end), one.motion_energy)
        for one in analysis.motion_moments
    ]
    liveliest = max((energy for _, energy in windows), default=0.0)
    seconds = sum(overlap for overlap, _ in windows)
    if not seconds:
        return None
    mean = sum(overlap * energy for overlap, energy in windows) / seconds
    return mean / liveliest if liveliest else 0.0


def _face_share(shot: Shot, analysis: Analysis) -> float | None:
    """The share of the shot's sampled frames with a face; None when nobody looked."""
    if analysis.faces.share is None:
        return None
    here = [
        bool(one.boxes)
        for one in analysis.faces.samples
        if shot.start_frame <= one.frame < shot.end_frame
    ]
    return sum(here) / len(here) if here else None


def _text_share(shot: Shot, lines: Iterable[TextLine]) -> float:
    """How much of the shot has text, full from half of its time."""
    seconds = shot.end_seconds - shot.start_seconds
    longest = max((_overlap(shot, o.start_seconds, o.end_seconds) for o in lines), default=0.0)
    return min(1.0, longest / seconds / FULL_TEXT_SHARE) if seconds > 0 else 0.0
