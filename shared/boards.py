"""A concept on one board: its plan, and how far each chosen variation is."""

import json
from collections.abc import Mapping
from typing import Any

from shared.app import App
from shared.creative_models import Variation, VariationPlan
from shared.events import VariationChosen
from shared.ports import Document
from shared.rendition_models import Rendition, StoredRendition

LINK_SECONDS = 6 * 3600
PARTS = {"video": "video_path", "preview": "preview_path", "thumbnail": "thumbnail_path"}


def read_board(app: App, concept_id: str) -> dict[str, Any] | None:
    """What a page shows of a concept; None before its plan is there.

    `renditions` are in the order of their places; the files have links that expire.
    """
    concept = app.documents.get("concepts", concept_id)
    if concept is None or "plan_path" not in concept.data:
        return None
    path = str(concept.data["plan_path"])
    plan = VariationPlan.model_validate_json(app.files.read(path))
    return board_of(plan, [_rendition(app, path, one) for one in plan.chosen])


def board_of(plan: VariationPlan, renditions: list[dict[str, Any]]) -> dict[str, Any]:
    """The plan without what nobody reads, and the cards of its renditions."""
    return {**plan.model_dump(mode="json", exclude={"selected"}), "renditions": renditions}


def card_of(variation: Variation, rendition: Rendition | None) -> dict[str, Any]:
    """One card: the variation, and what is known of its file."""
    card: dict[str, Any] = {
        "variation": variation.model_dump(mode="json"),
        **{"state": "waiting", "progress": None, "step": "", "reason": ""},
        **{"video": None, "preview": None, "thumbnail": None, "timeline": None},
        **{"seconds": None, "width": 9, "height": 16, "compliance": [], "notes": []},
    }
    if rendition is None:
        return card
    made = rendition.rendered
    return {
        **card,
        "state": "done",
        "seconds": made.seconds,
        "width": rendition.timeline.width,
        "height": rendition.timeline.height,
        "compliance": [check.model_dump(mode="json") for check in rendition.compliance],
        "notes": notes_of(rendition),
    }


def notes_of(rendition: Rendition) -> list[str]:
    """What could not be done and what was mended, each once."""
    mended = (f"rendered again: {fix}" for fix in rendition.fixes)
    notes = (*rendition.timeline.notes, *rendition.rendered.notes, *mended)
    return list(dict.fromkeys(notes))


def _rendition(app: App, plan_path: str, variation: Variation) -> dict[str, Any]:
    chosen = VariationChosen(
        concept_id=variation.concept_id,
        variation_number=variation.variation_number,
        plan_path=plan_path,
    )
    record = app.documents.get(chosen.subject_kind, chosen.subject_id)
    if record is None:
        return card_of(variation, None)
    if "rendition_path" not in record.data:
        return {**card_of(variation, None), **_progress(record)}
    stored = StoredRendition.model_validate_json(app.files.read(record.data["rendition_path"]))
    card = card_of(variation, stored.rendition)
    for part, path in {**PARTS, "timeline": "timeline_path"}.items():
        if where := getattr(stored, path):
            card[part] = app.files.sign(where, "GET", expires_seconds=LINK_SECONDS)
    return card


def _progress(record: Document) -> Mapping[str, Any]:
    shown = record.data.get("stages", {}).get("render", {})
    keys = ("state", "progress", "step", "reason")
    return {key: shown[key] for key in keys if key in shown}


def list_concepts(app: App, *, limit: int = 50) -> list[dict[str, Any]]:
    """The newest concepts of this tenant, newest first."""
    page = app.documents.query("concepts", order_by="updated_at", descending=True, limit=limit)
    return [
        {
            "concept_id": concept.id,
            "product": concept.data.get("name", ""),
            "updated_at": concept.data.get("updated_at", ""),
            "planned": "plan_path" in concept.data,
            "stages": json.loads(json.dumps(concept.data.get("stages", {}))),
        }
        for concept in page.documents
    ]
