"""How far every video is: what the stages wrote down, in the order of the pipeline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from shared.app import App
from shared.models import Record
from shared.ports import Document

State = Literal[
    "waiting", "running", "interrupted", "retrying", "done", "rejected", "failed", "not_reached"
]


class StageStatus(Record):
    """One stage of one video."""

    name: str
    state: State = "waiting"
    since: datetime | None = None
    seconds: float | None = Field(default=None, description="how long it took, once it ended")
    attempt: int = Field(default=0, ge=0, description="1 is the first try")
    progress: float | None = Field(default=None, ge=0, le=1)
    step: str = ""
    code: str = ""
    reason: str = ""


class AssetStatus(Record):
    """One video, or an upload that never became one."""

    tenant_id: str
    upload_id: str = ""
    video_id: str = ""
    name: str
    uploads: int = Field(ge=1, description="how often the same video was uploaded")
    report_path: str = ""
    updated_at: datetime
    correlation_id: str = ""
    stages: tuple[StageStatus, ...]

    @property
    def problem(self) -> StageStatus | None:
        """The stage that stopped this video for good; None when none did."""
        ended = [stage for stage in self.stages if stage.state in ("rejected", "failed")]
        return ended[0] if ended else None

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.problem is not None or all(stage.state == "done" for stage in self.stages)


def upload_status(app: App, upload_id: str, chain: Sequence[str]) -> AssetStatus | None:
    """How far one upload is; None before its first stage has begun."""
    upload = app.documents.get("uploads", upload_id)
    if upload is None or "stages" not in upload.data:
        return None
    video_id = upload.data.get("video_id")
    asset = app.documents.get("assets", video_id) if video_id else None
    if asset is None or upload.data["stages"].get(chain[0], {}).get("state") != "done":
        return _status(app, upload, chain)
    return _status(app, asset, chain)


def list_status(app: App, chain: Sequence[str], *, limit: int = 50) -> Sequence[AssetStatus]:
    """The newest videos and refused uploads of this tenant, newest first."""
    assets, uploads = (
        app.documents.query(kind, order_by="updated_at", descending=True, limit=limit).documents
        for kind in ("assets", "uploads")
    )
    # A copy that stalled was refused; the whole file under the same path makes that history.
    good = {u.data["path"]: u.data["updated_at"] for u in reversed(uploads) if "video_id" in u.data}
    others = [
        u
        for u in uploads
        if "video_id" not in u.data and u.data["updated_at"] > good.get(u.data.get("path"), "")
    ]
    found = [_status(app, document, chain) for document in [*assets, *others]]
    return sorted(found, key=lambda status: status.updated_at, reverse=True)[:limit]


def _status(app: App, document: Document, chain: Sequence[str]) -> AssetStatus:
    data = document.data
    stages, uploads = data.get("stages", {}), data.get("uploads", {})
    return AssetStatus(
        tenant_id=app.tenant_id,
        upload_id=document.id if document.kind == "uploads" else next(iter(uploads), ""),
        video_id=data.get("video_id", ""),
        name=data.get("name", ""),
        uploads=max(1, len(uploads)),
        report_path=data.get("report_path", ""),
        updated_at=data.get("updated_at", app.now()),
        correlation_id=data.get("correlation_id", ""),
        stages=tuple(_in_order(_stage(app, name, stages.get(name, {})) for name in chain)),
    )


def _in_order(stages: Iterable[StageStatus]) -> Iterator[StageStatus]:
    """What follows a stage that ended badly is not waited for."""
    stopped = False
    for stage in stages:
        waits = stage.state == "waiting"
        yield stage.model_copy(update={"state": "not_reached"}) if stopped and waits else stage
        stopped = stopped or stage.state in ("rejected", "failed")


def _stage(app: App, name: str, shown: Mapping[str, Any]) -> StageStatus:
    state = shown.get("state", "waiting")
    now = app.now().isoformat(timespec="microseconds")
    if state == "running" and shown.get("lease_until", now) < now:
        state = "interrupted"
    keys = ("since", "seconds", "attempt", "progress", "step", "code", "reason")
    return StageStatus(name=name, state=state, **{key: shown[key] for key in keys if key in shown})
