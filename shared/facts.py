"""What the owner of an ad says of it, kept on its asset before or after the video comes."""

from pydantic import ValidationError

from shared.app import App
from shared.ports import Merge
from shared.score_models import AdFacts

FIELD = "facts"


def keep_facts(video_id: str, ad: AdFacts, app: App) -> None:
    """Keep the facts in place of those of before; who scores or judges from now on reads them."""
    told = ad.model_dump(mode="json", exclude_defaults=True)
    app.documents.commit([Merge("assets", video_id, {FIELD: told})])


def facts_of(video_id: str, app: App) -> tuple[AdFacts, str]:
    """The facts, and why they cannot be used when they cannot."""
    asset = app.documents.get("assets", video_id)
    try:
        return AdFacts.model_validate(asset.data.get(FIELD, {}) if asset else {}), ""
    except ValidationError as problem:
        return AdFacts(), f"ad facts: {problem.error_count()} of them cannot be read"
