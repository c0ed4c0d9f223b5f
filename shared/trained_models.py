"""Models of a tenant's own results in our stores: installed, found, loaded once a process."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.app import App
from shared.errors import Conflict, FileMissing, Rejected
from shared.ports import ABSENT
from shared.score_models import ModelRecord

if TYPE_CHECKING:  # it needs numpy, which a listing does without
    from shared.domain.scoring.trained import TrainedModel

KIND = "models"
"""One document a target: its id is the target, it says which version is in use."""
TARGETS = ("ctr", "roas", "conversions")
MOST_LOADED = 8


class ModelTaken(Rejected):
    """Another model is stored under that version."""


@dataclass(frozen=True)
class Current:
    """The model in use; without one `problem` says why an installed one cannot be used."""

    model: "TrainedModel | None" = None
    problem: str = ""


_loaded: "OrderedDict[tuple[str, str, str], TrainedModel]" = OrderedDict()
_lock = Lock()


def install_model(model: "TrainedModel", app: App, *, instead_of: str) -> ModelRecord:
    """Store a model and use it from now on, in place of the version that it was compared with.

    The file comes first, then one conditional write switches: who predicts sees the old model or
    the new one. Raises Conflict when `instead_of` (empty: none) is not in use, or no longer;
    ModelTaken when the version names another model; pydantic's error for no usable version.
    """
    from shared.domain.scoring.trained import pack_model

    content, facts = pack_model(model), model.facts
    before = app.documents.get(KIND, facts.target)
    in_use = str(before.data["version"]) if before else ""
    if in_use != instead_of:
        raise Conflict(f"{facts.target}: {in_use or 'no model'!r} is in use, not {instead_of!r}")
    record = ModelRecord(
        target=facts.target,
        version=facts.version,
        path=f"models/{facts.target}/{facts.version}.zip",
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        trained_rows=facts.trained_rows,
        coverage=facts.coverage,
        figures=facts.figures,
        installed_at=app.now(),
        before=in_use,
    )
    app.files.write(record.path, content, content_type="application/zip", once=True)
    if hashlib.sha256(app.files.read(record.path)).hexdigest() != record.sha256:
        raise ModelTaken(f"{record.path} holds another model: choose another version")
    version = before.version if before else ABSENT
    app.documents.put(KIND, facts.target, record.model_dump(mode="json"), expect=version)
    return record


def model_record(target: str, app: App) -> ModelRecord | None:
    """What is installed for a target; None when nothing is. Raises pydantic's ValidationError."""
    stored = app.documents.get(KIND, target)
    return ModelRecord.model_validate(stored.data) if stored else None


def current_model(target: str, app: App) -> Current:
    """The model that predicts a target for this tenant, read once a process and version."""
    from shared.domain.scoring.weights import ModelUnavailable

    try:
        record = model_record(target, app)
        return Current() if record is None else Current(_load(record, app))
    except ValidationError as problem:
        wrong = f"{problem.error_count()} of its fields cannot be read"
        return Current(problem=f"the document of the model for {target}: {wrong}")
    except (FileMissing, ModelUnavailable) as problem:
        return Current(problem=str(problem))


def _load(record: ModelRecord, app: App) -> "TrainedModel":
    from shared.domain.scoring.trained import load_model
    from shared.domain.scoring.weights import ModelUnavailable

    key = (app.tenant_id, record.path, record.sha256)
    with _lock:
        if key in _loaded:
            _loaded.move_to_end(key)
            return _loaded[key]
    content = app.files.read(record.path)
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise ModelUnavailable(f"{record.path} is not the file that was installed (sha256 differs)")
    model = load_model(content)
    if (model.facts.target, model.facts.version) != (record.target, record.version):
        raise ModelUnavailable(f"{record.path} is {model.facts.target} {model.facts.version}")
    with _lock:
        _loaded[key] = model
        while len(_loaded) > MOST_LOADED:
            _loaded.popitem(last=False)
    return model
