"""Renditions from event to event: footage is fetched, one variation made, everything kept."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from shared.app import App
from shared.clip_models import ClipSet
from shared.creative_models import Concept, Variation, VariationPlan
from shared.domain.creative.footage import Footage, footage_of
from shared.domain.creative.making import make_rendition
from shared.errors import Rejected
from shared.events import VariationChosen, VariationRendered
from shared.inference_models import Inference
from shared.models import Analysis
from shared.ports import Merge
from shared.rendition_models import Rendition, StoredRendition

SOURCE = "footage"


class FootageUnknown(Rejected):
    """A plan's video that was never analysed here."""


class VariationUnknown(Rejected):
    """A number that the plan has no variation for."""


def render_and_keep(chosen: VariationChosen, app: App) -> VariationRendered:
    """Make one variation and store its files create-once; a repeat finds them.

    Raises VariationUnknown, FootageUnknown, and what making it raises.
    """
    stem = f"renditions/{chosen.concept_id}/{chosen.variation_number}/{chosen.run}"
    path = f"{stem}/rendition.json"
    if app.files.info(path) is None:
        plan = VariationPlan.model_validate_json(app.files.read(chosen.plan_path))
        variation = variation_of(plan, chosen.variation_number)
        with tempfile.TemporaryDirectory() as folder:
            made = make(variation, plan, Path(folder), app)
            stored = keep_files(made, chosen, stem, Path(folder), app)
        content = stored.model_dump_json().encode()
        app.files.write(path, content, content_type="application/json", once=True)
    stored = StoredRendition.model_validate_json(app.files.read(path))
    keep_facts(stored, chosen, path, app)
    return VariationRendered(
        tenant_id=chosen.tenant_id,
        concept_id=chosen.concept_id,
        variation_number=chosen.variation_number,
        rendition_path=path,
        run=chosen.run,
    )


def make(variation: Variation, plan: VariationPlan, folder: Path, app: App) -> Rendition:
    """Render one variation of a plan into a local folder."""
    with local_sources(plan.video_id, plan.concept, app) as (footage, files):
        return make_rendition(
            variation,
            plan.concept,
            footage,
            files,
            folder,
            limits=app.limits,
            tools=app.tools,
            on_progress=app.progress,
        )


@contextmanager
def local_sources(
    video_id: str | None, concept: Concept, app: App
) -> Iterator[tuple[list[Footage], Mapping[str, Path]]]:
    """The footage with what is known of it, and local files of everything that is cut from."""
    footage = [stored_footage(video_id, app)] if video_id else []
    with ExitStack() as stack:
        files = {one.name: stack.enter_context(app.files.local_copy(one.path)) for one in footage}
        if logo := concept.brand.logo_path:
            files[logo] = stack.enter_context(app.files.local_copy(logo))
        yield footage, files


def stored_footage(video_id: str, app: App) -> Footage:
    """What the stages found out about a video; raises FootageUnknown before it is analysed."""
    asset = app.documents.get("assets", video_id)
    if asset is None or "inference_path" not in asset.data:
        raise FootageUnknown(
            f"video {video_id} has not been through analyze and infer; upload it, and ask again "
            "when its report is there"
        )

    def read(name: str) -> Any:
        return app.files.read(str(asset.data[name])) if name in asset.data else None

    clips = read("clips_path")
    return footage_of(
        SOURCE,
        f"videos/{video_id}/source",
        Analysis.model_validate_json(read("report_path")),
        Inference.model_validate_json(read("inference_path")),
        ClipSet.model_validate_json(clips) if clips else None,
    )


def variation_of(plan: VariationPlan, number: int) -> Variation:
    """The variation with a number; raises VariationUnknown."""
    for variation in plan.variations:
        if variation.variation_number == number:
            return variation
    raise VariationUnknown(f"plan {plan.concept_id} has no variation {number}")


def keep_files(
    made: Rendition, chosen: VariationChosen, stem: str, folder: Path, app: App
) -> StoredRendition:
    """Store the files of a rendition; the first writer of each wins."""

    def keep(name: str | None, kind: str) -> str | None:
        if name is None:
            return None
        app.files.write(f"{stem}/{name}", folder / name, content_type=kind, once=True)
        return f"{stem}/{name}"

    timeline = made.timeline.model_dump_json().encode()
    where = f"{stem}/timeline.json"
    app.files.write(where, timeline, content_type="application/json", once=True)
    return StoredRendition(
        concept_id=chosen.concept_id,
        run=chosen.run,
        made_at=app.now(),
        video_path=keep(made.rendered.video, "video/mp4") or "",
        preview_path=keep(made.rendered.preview, "video/mp4"),
        thumbnail_path=keep(made.rendered.thumbnail, "image/jpeg") or "",
        timeline_path=where,
        rendition=made,
    )


def keep_facts(stored: StoredRendition, chosen: VariationChosen, path: str, app: App) -> None:
    """The rendition in short where people and later stages look; the whole stays in Files."""
    made = stored.rendition
    facts = {
        "concept_id": chosen.concept_id,
        "variation_id": made.variation.id,
        "variation_number": chosen.variation_number,
        "rendition_path": path,
        "video_path": stored.video_path,
        "seconds": made.rendered.seconds,
        "publishable": list(made.publishable),
        "verdicts": {one.placement: one.verdict for one in made.compliance},
    }
    app.documents.commit([Merge("renditions", chosen.subject_id, facts)])
