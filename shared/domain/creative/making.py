"""One variation made into files: cut, rendered, checked, and mended where a rule says how."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from shared.compliance_models import Compliance
from shared.creative_models import Concept, Placement, Platform, Variation
from shared.domain.compliance.check import judge
from shared.domain.compliance.facts import ShownFacts, ShownText
from shared.domain.compliance.fixes import apply_fix
from shared.domain.compliance.measure import measure_ad
from shared.domain.creative.clips import starts_of
from shared.domain.creative.footage import Footage, open_reels
from shared.domain.creative.recut import cut_timeline
from shared.domain.creative.words import caption_words
from shared.domain.render.caption_groups import group_words
from shared.domain.render.render import render_timeline
from shared.inference_models import Transcript, Word
from shared.models import InferenceTools, Limits
from shared.rendition_models import Rendition
from shared.timeline_models import Captions, Timeline

Progress = Callable[[float, str], None]

MOST_ROUNDS = 3
"""Renders of one variation: the first, and two that mend what the check found."""
RENDER_SHARE = 0.8
PLACEMENTS: dict[Platform, tuple[Placement, ...]] = {
    "meta": ("meta:reels", "meta:stories", "meta:feed"),
    "google": ("youtube:shorts", "youtube:instream", "youtube:demand_gen"),
    "tiktok": ("tiktok:feed",),
    "linkedin": ("linkedin:feed",),
    "x": ("x:feed",),
}


def make_rendition(
    variation: Variation,
    concept: Concept,
    footage: Sequence[Footage],
    files: Mapping[str, Path],
    folder: Path,
    *,
    limits: Limits,
    tools: InferenceTools,
    on_progress: Progress,
) -> Rendition:
    """Writes video, preview and thumbnail into `folder`; `files` are local paths by source name.

    What fails at the concept's own placement is rendered again, as often as there is an automatic
    fix and at most twice; the other placements of its platforms are checked, not mended for.
    Raises what cutting, rendering and reading name.
    """
    timeline = cut_timeline(variation, concept, footage, concept.placement)
    fixes: list[str] = []
    said = transcript_of(timeline, concept, footage)
    for left in reversed(range(MOST_ROUNDS)):
        rendered = render_timeline(
            timeline, files, folder, on_progress=_part(on_progress, 0.0, RENDER_SHARE)
        )
        facts = facts_of(timeline, concept, said)
        checks = check(folder / rendered.video, concept, facts, limits=limits, tools=tools)
        mended, names = mend(timeline, checks[0])
        # What a fix did not change, it will not change when it is made once more.
        if mended is None or not left or set(names) <= set(fixes):
            break
        timeline = mended
        fixes += names
    on_progress(1.0, "done")
    return Rendition(
        variation=variation,
        timeline=timeline,
        rendered=rendered,
        compliance=checks,
        fixes=tuple(fixes),
    )


def check(
    video: Path, concept: Concept, facts: ShownFacts, *, limits: Limits, tools: InferenceTools
) -> tuple[Compliance, ...]:
    """The verdict for the concept's own placement first, then for the others it may run at."""
    measured = measure_ad(video, limits=limits, tools=tools)
    return tuple(judge(measured, one, facts) for one in placements_of(concept))


def placements_of(concept: Concept) -> tuple[Placement, ...]:
    """Where the ad may run: its own placement, then those of its platforms."""
    others = (one for platform in concept.platforms for one in PLACEMENTS[platform])
    return tuple(dict.fromkeys((concept.placement, *others)))


def facts_of(timeline: Timeline, concept: Concept, said: Transcript | None) -> ShownFacts:
    """What the file is meant to show and say."""
    shown = [
        ShownText(
            text=one.text,
            start_seconds=one.start_seconds,
            end_seconds=one.end_seconds,
            top=one.top,
            bottom=one.top + one.height,
        )
        for one in timeline.overlays
    ]
    if card := timeline.end_card:
        texts = (card.headline, card.cta, card.brand, card.landing)
        words = " ".join(part for part in texts if part)
        shown.append(
            ShownText(
                text=words,
                start_seconds=timeline.seconds - card.seconds,
                end_seconds=timeline.seconds,
                top=card.top,
                bottom=card.top + card.height,
            )
        )
    return ShownFacts(
        language=concept.language,
        shown=tuple(shown),
        captions=tuple(_drawn(timeline.captions) if timeline.captions else ()),
        transcript=said,
    )


def _drawn(captions: Captions) -> Iterator[ShownText]:
    """Captions as the groups in which they are drawn."""
    for group in group_words(captions.words):
        yield ShownText(
            text=" ".join(word.text for word in group.words),
            start_seconds=group.start_seconds,
            end_seconds=group.end_seconds,
            top=captions.top,
            bottom=captions.top + captions.height,
        )


def mend(timeline: Timeline, check: Compliance) -> tuple[Timeline | None, list[str]]:
    """The timeline with every fix that the failures have, and their names; None: there is none."""
    mended, names = timeline, []
    for finding in check.findings:
        if finding.grade != "fail" or not finding.automatic_fix:
            continue
        changed = apply_fix(mended, finding)
        if changed is not None and changed != mended:
            mended = changed
            names.append(f"{finding.automatic_fix} because of {finding.rule}: {finding.found}")
    return (mended if names else None), names


def transcript_of(
    timeline: Timeline, concept: Concept, footage: Sequence[Footage]
) -> Transcript | None:
    """What is said in the ad, also where no captions are drawn; None: nobody wrote it down."""
    known = {reel.footage.name: reel.words for reel in open_reels(footage)}
    if any(known.get(clip.source) is None for clip in timeline.clips if clip.source and clip.sound):
        return None
    heard = {name: words for name, words in known.items() if words is not None}
    words: Iterable[Word] = (
        Word(
            word=one.text,
            start_seconds=one.start_seconds,
            end_seconds=one.end_seconds,
            confidence=1.0,
        )
        for one in caption_words(timeline.clips, starts_of(timeline.clips), heard)
    )
    return Transcript(language=concept.language, source="captions", words=tuple(words))


def _part(on_progress: Progress, start: float, share: float) -> Progress:
    """Progress of a part, told as progress of the whole."""

    def told(fraction: float, step: str) -> None:
        on_progress(start + share * fraction, "checking" if step == "done" else step)

    return told
