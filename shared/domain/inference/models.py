"""The networks that we know: where each comes from, its checksum and licence, and where it lies."""

import hashlib
import json
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter

from shared.domain.video.detector import AnalyserUnavailable
from shared.errors import ConfigError
from shared.models import Record

MANIFEST = Path(__file__).with_name("models.json")
# A checksum that its user vouches for lies beside a file whose own is not in the manifest.
VOUCHED = ".sha256"


class ModelFile(Record):
    """One file of the manifest.

    With `package` it comes with that Python package; else it lies in the folder for models.
    `evidence` says how its checksum is known; an empty `sha256` is not: the user gives it.
    """

    name: str
    file: str
    package: str
    package_path: str
    url: str
    sha256: str
    evidence: str
    licence: str
    input: str
    output: str
    purpose: str

    @property
    def status(self) -> str:
        """`packaged`, `pinned` (the checksum is known) or `unpinned`."""
        if self.package:
            return "packaged"
        return "pinned" if self.sha256 else "unpinned"


class UnknownModel(ConfigError):
    """No model of that name is in the manifest."""


@cache
def manifest() -> tuple[ModelFile, ...]:
    """All models, in the order of the file."""
    return TypeAdapter(tuple[ModelFile, ...]).validate_python(json.loads(MANIFEST.read_text()))


def model_named(name: str) -> ModelFile:
    """The model of that name; raises UnknownModel with the names that there are."""
    found = next((model for model in manifest() if model.name == name), None)
    if found is None:
        names = ", ".join(model.name for model in manifest())
        raise UnknownModel(f"no model is called {name!r}; there are {names}")
    return found


def locate(model: ModelFile, folder: Path) -> Path:
    """Where the file of a model lies or would lie."""
    own = folder / model.file
    if not model.package or own.is_file():
        return own
    spec = find_spec(model.package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) / model.package_path if places else own


def find_model(name: str, folder: Path) -> Path:
    """The checked file of a model; raises AnalyserUnavailable with the reason and the way out."""
    model = model_named(name)
    file = locate(model, folder)
    if not file.is_file():
        raise AnalyserUnavailable(f"the model {name!r} is not there: {_way_out(model, folder)}")
    expected = model.sha256 or vouched(file)
    if not expected:
        raise AnalyserUnavailable(
            f"nobody vouches for {file.name!r}: write its sha256 into {file.name}{VOUCHED} beside "
            f"it, or fetch it with `scripts/gv models fetch {name} --sha256 ...`"
        )
    state = file.stat()
    if file_sha256(file, state.st_mtime_ns, state.st_size) != expected:
        raise AnalyserUnavailable(
            f"{file.name!r} is not the file of the manifest (sha256 differs): "
            f"{_way_out(model, folder)}"
        )
    return file


def vouched(file: Path) -> str:
    """The checksum that the user wrote beside a file; empty when there is none."""
    beside = file.with_name(file.name + VOUCHED)
    words = beside.read_text(encoding="ascii", errors="replace").split() if beside.is_file() else []
    return words[0].lower() if words else ""


@lru_cache(maxsize=64)
def file_sha256(file: Path, _changed_ns: int, _size_bytes: int) -> str:
    """The checksum of a file, worked out once for each state of it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _way_out(model: ModelFile, folder: Path) -> str:
    if model.package:
        package = model.package.replace("_", "-")
        return f"install the package {package}, which carries it, again"
    if model.url:
        given = "" if model.sha256 else " --sha256 ..."
        return f"`scripts/gv models fetch {model.name}{given}` puts it into {str(folder)!r}"
    return (
        f"put it into {str(folder)!r} as {model.file!r}, with its sha256 in {model.file}{VOUCHED}"
    )
