"""The records of renditions: what became of one variation as a file."""

from datetime import datetime

from pydantic import Field

from shared.compliance_models import Compliance
from shared.creative_models import Placement, Variation
from shared.models import Record
from shared.timeline_models import Rendered, Timeline


class Rendition(Record):
    """One variation as files, how they were made, and where they may run."""

    variation: Variation
    timeline: Timeline
    rendered: Rendered
    compliance: tuple[Compliance, ...] = Field(description="one for each placement checked")
    fixes: tuple[str, ...] = Field(
        default=(), description="automatic fixes that it was rendered again with"
    )

    @property
    def publishable(self) -> tuple[Placement, ...]:
        """The placements whose rules it keeps."""
        return tuple(one.placement for one in self.compliance if one.verdict != "fail")


class StoredRendition(Record):
    """A rendition with the paths of its files."""

    concept_id: str
    run: int = 1
    made_at: datetime
    video_path: str
    preview_path: str | None
    thumbnail_path: str
    timeline_path: str
    rendition: Rendition
