"""One variation made into files: cut, rendered, checked, and mended where a rule says how."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from shared.compliance_models import Compliance
from shared.creative_models import Concept, Placement, Platform, Variation
from shared.domain.compliance.check import judge
from shared.domain.compliance.facts import ShownFacts, ShownText
from shared.domain.compliance.fixes import apply_fix
from shared.domain.compliance.measure import measure_ad
from shared.domain.creative.footage import Footage
from shared.domain.creative.recut import cut_timeline
from shared.domain.render.render import render_timeline
from shared.inference_models import Transcript, Word
from shared.models import InferenceTools, Limits
from shared.rendition_models import Rendition
from shared.timeline_models import Timeline

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
    for left in reversed(range(MOST_ROUNDS)):
        rendered = render_timeline(
            timeline, files, folder, on_progress=_part(on_progress, 0.0, RENDER_SHARE)
        )
        checks = check(folder / rendered.video, timeline, concept, limits=limits, tools=tools)
        mended, names = mend(timeline, checks[0])
        if mended is None or not left:
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
    video: Path, timeline: Timeline, concept: Concept, *, limits: Limits, tools: InferenceTools
) -> tuple[Compliance, ...]:
    """The verdict for the concept's own placement first, then for the others it may run at."""
    measured = measure_ad(video, limits=limits, tools=tools)
    facts = facts_of(timeline, concept)
    return tuple(judge(measured, one, facts) for one in placements_of(concept))


def placements_of(concept: Concept) -> tuple[Placement, ...]:
    """Where the ad may run: its own placement, then those of its platforms."""
    others = (one for platform in concept.platforms for one in PLACEMENTS[platform])
    return tuple(dict.fromkeys((concept.placement, *others)))


def facts_of(timeline: Timeline, concept: Concept) -> ShownFacts:
    """What the file is meant to show and say."""
    shown = [
        ShownText(text=one.text, start_seconds=one.start_seconds, end_seconds=one.end_seconds)
        for one in timeline.overlays
    ]
    if card := timeline.end_card:
        words = " ".join(part for part in (card.headline, card.cta, card.brand) if part)
        shown.append(
            ShownText(
                text=words,
                start_seconds=timeline.seconds - card.seconds,
                end_seconds=timeline.seconds,
            )
        )
    return ShownFacts(
        language=concept.language, shown=tuple(shown), transcript=_transcript(timeline, concept)
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


def _transcript(timeline: Timeline, concept: Concept) -> Transcript | None:
    if timeline.captions is None:
        return None
    words: Iterable[Word] = (
        Word(
            word=one.text,
            start_seconds=one.start_seconds,
            end_seconds=one.end_seconds,
            confidence=1.0,
        )
        for one in timeline.captions.words
    )
    return Transcript(language=concept.language, source="captions", words=tuple(words))


def _part(on_progress: Progress, start: float, share: float) -> Progress:
    """Progress of a part, told as progress of the whole."""

    def told(fraction: float, step: str) -> None:
        on_progress(start + share * fraction, "checking" if step == "done" else step)

    return told
