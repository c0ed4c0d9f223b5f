"""From a variation and footage to the edit list of one ad: pure, and the same every time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.creative_models import Concept, Placement, Variation
from shared.domain.creative.cards import card_texts, make_cards
from shared.domain.creative.choice import Order, Part, choose_parts, whole_parts
from shared.domain.creative.clips import Cut, dissolved, framed_clips, joined, starts_of
from shared.domain.creative.footage import Footage, Reel, open_reels, output_rate
from shared.domain.creative.layout import (
    Band,
    Stage,
    after_hook,
    caption_band,
    logo_of,
    place_texts,
)
from shared.domain.creative.look import end_card, grade_of, highlight_of
from shared.domain.creative.pace import Editing, editing, reading_seconds
from shared.domain.creative.placements import Screen, screen_of
from shared.domain.creative.shots import Interest, Stretch, stretches_of
from shared.domain.creative.subject import Rectangle, rectangle
from shared.domain.creative.words import burned_in, caption_words
from shared.models import Record
from shared.timeline_models import (
    Captions,
    CaptionWord,
    Music,
    Sound,
    Source,
    TextOverlay,
    Timeline,
    TimelineClip,
)

# Less footage than this is followed by cards: nobody can read a hook over it.
LEAST_FOOTAGE_SECONDS = 3.0
FLASH_SECONDS = 1.0
SHORT_SECONDS = 0.5
MUSIC_NAME = "music"
CAPTION_GAP_SECONDS = 0.6
# Most of an end card was read before on the picture.
MOST_CARD_SHARE, KNOWN_SHARE = 0.25, 0.8


class MusicTrack(Record):
    """Music to play under an ad; cuts fall on its beats where they are given."""

    path: str
    sha256: str = ""
    duration_seconds: float
    beats_seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What one version is made with."""

    variation: Variation
    concept: Concept
    screen: Screen
    rules: Editing
    rate: int
    music: MusicTrack | None
    brief: bool = False
    """Whether the end card is as short as it may be."""

    @property
    def card_frames(self) -> int:
        """How long the end card is."""
        seconds = self.rules.end_card_seconds[self.variation.duration]
        if self.brief:
            return round(seconds * self.rate)
        card = end_card(self.variation, self.concept, self.screen, seconds)
        words = " ".join((card.brand, card.headline, card.cta, card.landing))
        most = min(self.rules.longest_end_card_seconds, MOST_CARD_SHARE * self.variation.duration)
        return round(
            max(seconds, min(most, KNOWN_SHARE * reading_seconds(words, self.rules))) * self.rate
        )

    @property
    def body_frames(self) -> int:
        """What is left for the part before it."""
        return self.variation.duration * self.rate - self.card_frames


def cut_timeline(
    variation: Variation,
    concept: Concept,
    footage: Sequence[Footage],
    placement: Placement,
    *,
    music: MusicTrack | None = None,
) -> Timeline:
    """The edit list of one variation for one placement; without footage it is made of colour cards.

    It is at most `variation.duration` long, and as long as that within one frame where there is
    footage enough; `notes` say what could not be done. Cuts begin on frames of their source, every
    clip lasts whole frames of the output, and nobody is cut off inside a word.
    """
    rules = editing()
    reels = open_reels(footage)
    plan = Plan(variation, concept, screen_of(placement), rules, output_rate(reels), music)
    notes = [
        f"{one.name}: not a single whole frame, left out"
        for number, one in enumerate(footage)
        if number not in {reel.number for reel in reels}
    ]
    cuts, said = _cuts(reels, plan)
    if cuts and _seconds(cuts) < plan.body_frames / plan.rate - SHORT_SECONDS:
        # What somebody says may just not fit: a shorter end card leaves room for more of it.
        brief = replace(plan, brief=True)
        more, more_said = _cuts(reels, brief)
        if _seconds(more) > _seconds(cuts) + SHORT_SECONDS:
            plan, cuts, said = brief, more, more_said
    if not cuts:
        if footage:
            notes.append("no footage could be used: the ad is made of colour cards")
        return _cards_only(plan, notes)
    return _assemble(reels, cuts, plan, [*notes, *said])


def _seconds(cuts: Sequence[Cut]) -> float:
    """How long they are together."""
    clips = [cut.clip for cut in cuts]
    return sum(clip.seconds for clip in clips) - _overlaps(clips)


def _cuts(reels: Sequence[Reel], plan: Plan) -> tuple[list[Cut], list[str]]:
    """The parts of the footage in the version's order, with framing and dissolves."""
    pace = plan.rules.paces[plan.variation.pacing]
    body, rate = plan.body_frames, plan.rate
    beats = plan.music.beats_seconds if plan.music else ()
    order = Order(body, rate, pace, plan.rules, tuple(beats))
    interests = [Interest(reel, plan.rules) for reel in reels]
    stretches = [one for interest in interests for one in stretches_of(interest, body / rate)]
    stretches = [one for one in stretches if one.seconds * rate >= 1 - 0.01]
    notes = _speech_notes(reels, stretches, body / rate)
    if not stretches:
        return [], notes
    everything = whole_parts(stretches, interests, order)
    if sum(part.frames for part in everything) <= body:
        parts = joined(everything, rate)
        parts, more = _slowed(parts, order, plan)
        notes += more
    else:
        parts, more = choose_parts(stretches, interests, order)
        parts = joined(parts, rate)
        notes += more
    return framed_clips(
        dissolved(parts, order), order, plan.screen.aspect, silent=plan.music is not None
    ), notes


def _slowed(parts: list[Part], order: Order, plan: Plan) -> tuple[list[Part], list[str]]:
    """Short footage, slower where the pacing is slow and nobody speaks."""
    frames = sum(part.frames for part in parts)
    speed = max(plan.rules.slowest, frames / order.frames)
    spoken = any(part.stretch.spoken for part in parts)
    slow = plan.variation.pacing == "slow" and not spoken and speed < 1
    if slow:
        parts = [
            replace(part, speed=round(speed, 4), frames=int(part.frames / round(speed, 4)))
            for part in parts
        ]
    return parts, [f"the footage runs at {speed:.2f} times its speed"] if slow else []


def _speech_notes(reels: Sequence[Reel], stretches: Sequence[Stretch], body: float) -> list[str]:
    notes = []
    for reel in reels:
        name = reel.footage.name
        parts = {one.name: one for one in reel.analysis.analysers}
        speech = parts.get("speech")
        heard = reel.analysis.media.has_audio
        if reel.words is None and heard and speech and speech.status == "unavailable":
            notes.append(f"{name}: where somebody speaks is unknown, a cut may fall into speech")
        if any(one.spoken and not one.whole for one in stretches if one.reel is reel):
            notes.append(
                f"{name}: somebody speaks longer than {body:.1f} s, the cuts are at the widest "
                "pauses"
            )
    return notes


def _cards_after_a_flash(plan: Plan, frames: int) -> tuple[list[TimelineClip], list[TextOverlay]]:
    """The cards that follow footage of so many frames, and what stands on them."""
    clips, overlays = _following_cards(plan, frames)
    if overlays and frames < FLASH_SECONDS * plan.rate:
        # Nobody looks at so short a picture: the first words are there from the beginning.
        overlays[0] = overlays[0].model_copy(update={"start_seconds": 0.0, "fade_seconds": 0.0})
    return clips, overlays


def _assemble(reels: Sequence[Reel], cuts: Sequence[Cut], plan: Plan, notes: list[str]) -> Timeline:
    rate = plan.rate
    clips = [cut.clip for cut in cuts]
    starts = starts_of(clips)
    frames = round((starts[-1] + clips[-1].seconds) * rate)
    overlays: list[TextOverlay] = []
    missing = plan.body_frames - frames
    if frames < LEAST_FOOTAGE_SECONDS * rate:
        more, overlays = _cards_after_a_flash(plan, frames)
        clips, missing = [*clips, *more], 0
        notes.append("there is too little footage to read anything over it: colour cards follow")
    longest = round(plan.rules.longest_end_card_seconds * rate) - plan.card_frames
    longer = missing if missing <= longest else 0
    if missing > longer:
        have = (frames + plan.card_frames) / rate
        notes.append(f"the footage allows {have:.1f} s of the {plan.variation.duration} s asked")
    seconds = sum(clip.seconds for clip in clips) - _overlaps(clips)
    body = round(seconds * rate) / rate
    words, why_not = _captions(clips, starts_of(clips), reels)
    crowd = _Crowd(tuple(cuts), tuple(starts))
    band = caption_band(plan.screen, crowd, _spans(words)) if words else None
    logo = logo_of(plan.concept.brand.logo_path, plan.screen, 0.0, round(body, 3))
    seams = [*starts_of(clips)[1:], body]
    stage = Stage(plan.screen, plan.rules, body, crowd, band, logo, cuts=seams)
    if not overlays:
        overlays = place_texts(plan.variation, plan.concept, stage)
        logo = after_hook(logo, overlays, plan.screen)
        left_out = {"hook", "headline"} - {one.role for one in overlays}
        notes += [f"no time to read the {role} on the picture" for role in sorted(left_out)]
    closing = round((plan.card_frames + longer) / rate, 6)
    return _timeline(
        plan,
        reels,
        clips,
        overlays=tuple(overlays),
        logo=logo,
        captions=_shown_captions(words, band, plan),
        end_card=end_card(plan.variation, plan.concept, plan.screen, closing),
        notes=(*notes, *why_not),
    )


def _timeline(
    plan: Plan, reels: Sequence[Reel], clips: Sequence[TimelineClip], **rest: object
) -> Timeline:
    named = {clip.source for clip in clips}
    sources = {reel.footage.name: reel.source() for reel in reels if reel.footage.name in named}
    sound = Sound()
    if plan.music:
        name = MUSIC_NAME
        while name in sources:
            name += "_"
        sources[name] = Source(
            path=plan.music.path,
            sha256=plan.music.sha256,
            width=1,
            height=1,
            fps=1,
            duration_seconds=plan.music.duration_seconds,
            has_audio=True,
        )
        sound = Sound(music=Music(source=name))
    return Timeline.model_validate(
        {
            "width": plan.screen.width,
            "height": plan.screen.height,
            "fps": plan.rate,
            "sources": sources,
            "clips": tuple(clips),
            "grade": grade_of(plan.variation.color_scheme),
            "sound": sound,
            **rest,
        }
    )


def _cards_only(plan: Plan, notes: Sequence[str]) -> Timeline:
    clips, overlays = make_cards(
        card_texts(plan.variation, plan.concept),
        plan.variation.color_scheme,
        plan.screen,
        frames=plan.body_frames,
        rate=plan.rate,
        from_frame=0,
        rules=plan.rules,
        pace=plan.rules.paces[plan.variation.pacing],
    )
    seconds = round(plan.card_frames / plan.rate, 6)
    return _timeline(
        plan,
        (),
        clips,
        overlays=tuple(overlays),
        logo=None,
        end_card=end_card(plan.variation, plan.concept, plan.screen, seconds),
        notes=(*notes, "captions are unavailable: nobody speaks on colour cards"),
    )


def _following_cards(plan: Plan, frames: int) -> tuple[list[TimelineClip], list[TextOverlay]]:
    return make_cards(
        card_texts(plan.variation, plan.concept),
        plan.variation.color_scheme,
        plan.screen,
        frames=plan.body_frames - frames,
        rate=plan.rate,
        from_frame=frames,
        rules=plan.rules,
        pace=plan.rules.paces[plan.variation.pacing],
    )


def _overlaps(clips: Sequence[TimelineClip]) -> float:
    return sum(clip.transition.seconds for clip in clips if clip.transition)


def _captions(
    clips: Sequence[TimelineClip], starts: Sequence[float], reels: Sequence[Reel]
) -> tuple[list[CaptionWord], list[str]]:
    """The words of what is kept, or why there are none."""
    known = {reel.footage.name: words for reel in reels if (words := reel.words)}
    kept = caption_words(clips, starts, known)
    if kept:
        for reel in reels:
            if burned_in(known.get(reel.footage.name, ()), reel.text):
                return [], ["no captions are added: the footage already shows what is said"]
        return kept, []
    if known:
        return [], ["captions are unavailable: nobody speaks in what is shown"]
    if all(reel.words is not None for reel in reels):
        return [], ["captions are unavailable: no word was heard"]
    if not any(reel.analysis.media.has_audio for reel in reels):
        return [], ["captions are unavailable: the footage has no sound"]
    if all(_silent(reel) for reel in reels):
        return [], ["captions are unavailable: nobody speaks in the footage"]
    return [], [
        "captions are unavailable: nobody wrote down what is said; give a caption file, or set up "
        "speech recognition"
    ]


def _silent(reel: Reel) -> bool:
    """Whether somebody listened for speech and there is none."""
    ran = any(one.name == "speech" and one.status == "ran" for one in reel.analysis.analysers)
    return not reel.analysis.media.has_audio or (ran and not reel.analysis.audio.speech)


def _spans(words: Sequence[CaptionWord]) -> list[tuple[float, float]]:
    """When captions are shown: runs of words that follow one another."""
    spans: list[tuple[float, float]] = []
    for word in words:
        if spans and word.start_seconds - spans[-1][1] < CAPTION_GAP_SECONDS:
            spans[-1] = (spans[-1][0], max(spans[-1][1], word.end_seconds))
        else:
            spans.append((word.start_seconds, word.end_seconds))
    return spans


def _shown_captions(words: Sequence[CaptionWord], band: Band | None, plan: Plan) -> Captions | None:
    if not words or band is None:
        return None
    return Captions(
        words=tuple(words),
        left=plan.screen.left,
        width=round(plan.screen.safe_width, 4),
        top=round(band.top, 4),
        height=round(min(band.height, plan.screen.safe_bottom - round(band.top, 4)), 4),
        highlight=highlight_of(plan.variation.color_scheme),
    )


@dataclass(frozen=True)
class _Crowd:
    """What is seen where on the output: faces and writing of the clips, after their crop."""

    cuts: tuple[Cut, ...]
    starts: tuple[float, ...]

    def __call__(self, begin: float, end: float) -> tuple[list[Rectangle], list[Rectangle]]:
        faces: list[Rectangle] = []
        writing: list[Rectangle] = []
        for cut, start in zip(self.cuts, self.starts, strict=True):
            clip = cut.clip
            first = clip.start_seconds + max(0.0, begin - start) * clip.speed
            last = min(clip.end_seconds, clip.start_seconds + (end - start) * clip.speed)
            if last <= first:
                continue
            for sample in cut.reel.analysis.faces.samples:
                if first - 0.3 <= sample.at_seconds <= last + 0.3:
                    at = min(max(sample.at_seconds, first), last)
                    faces += [cut.framing.project(rectangle(box), at) for box in sample.boxes]
            writing += [
                cut.framing.project(rectangle(line.box), max(first, line.start_seconds))
                for line in cut.reel.text
                if line.start_seconds < last and line.end_seconds > first
            ]
        return faces, writing
