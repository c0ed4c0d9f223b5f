"""A tenant's own model: installed by one switch, loaded once, refused when it is another file."""

import hashlib
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared import trained_models
from shared.app import App
from shared.domain.scoring.trained import ModelFacts, TrainedModel, pack_model
from shared.errors import Conflict
from shared.trained_models import ModelTaken, current_model, install_model, model_record
from tests.support.apps import Clock, local_app
from tests.support.trained import headline_model


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An App, in a process that has loaded nothing."""
    trained_models._loaded.clear()
    return local_app(tmp_path, Clock())


def as_version(version: str) -> TrainedModel:
    """The same model under another name."""
    facts = {**headline_model().facts.model_dump(), "version": version}
    return TrainedModel(
        ModelFacts.model_validate(facts), headline_model().trees, headline_model().network
    )


def test_before_one_is_installed_there_is_none(app: App) -> None:
    assert current_model("ctr", app).model is None
    assert current_model("ctr", app).problem == ""
    assert model_record("ctr", app) is None


def test_the_document_tells_what_is_in_use(app: App) -> None:
    record = install_model(headline_model(), app, instead_of="")
    assert model_record("ctr", app) == record
    assert record.figures == headline_model().facts.figures
    content = app.files.read(record.path)
    assert hashlib.sha256(content).hexdigest() == record.sha256
    assert record.size_bytes == len(content)
    assert record.before == ""
    model = current_model("ctr", app).model
    assert model is not None
    assert pack_model(model) == content


def test_a_newer_version_takes_the_place_of_the_one_that_it_was_compared_with(app: App) -> None:
    install_model(headline_model(), app, instead_of="")
    record = install_model(as_version("headlines-2"), app, instead_of="headlines-1")
    assert record.before == "headlines-1"
    model = current_model("ctr", app).model
    assert model is not None
    assert model.facts.version == "headlines-2"


@pytest.mark.parametrize("instead_of", ["", "headlines-0"])
def test_what_was_compared_with_another_model_is_not_installed(app: App, instead_of: str) -> None:
    """Somebody switched meanwhile: compare again."""
    install_model(headline_model(), app, instead_of="")
    with pytest.raises(Conflict, match="'headlines-1' is in use"):
        install_model(as_version("headlines-2"), app, instead_of=instead_of)
    record = model_record("ctr", app)
    assert record is not None
    assert record.version == "headlines-1"


def test_of_two_that_install_at_once_one_is_refused(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw that none was in use; the other one switches while ours is being stored."""
    write = app.files.write

    def meanwhile(path: str, content: bytes, **others: object) -> object:
        monkeypatch.undo()
        install_model(as_version("theirs"), app, instead_of="")
        return write(path, content, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(app.files, "write", meanwhile)
    with pytest.raises(Conflict):
        install_model(as_version("ours"), app, instead_of="")
    record = model_record("ctr", app)
    assert record is not None
    assert record.version == "theirs"


def test_a_repeat_after_a_crash_between_file_and_switch_installs(app: App) -> None:
    app.files.write("models/ctr/headlines-1.zip", pack_model(headline_model()))
    assert install_model(headline_model(), app, instead_of="").version == "headlines-1"


def test_a_version_never_names_two_models(app: App) -> None:
    app.files.write("models/ctr/headlines-1.zip", b"another")
    with pytest.raises(ModelTaken, match="choose another version"):
        install_model(headline_model(), app, instead_of="")


@pytest.mark.parametrize("version", ["", "../../etc/passwd", "a/b", "x" * 65])
def test_a_version_that_is_no_name_is_refused(app: App, version: str) -> None:
    with pytest.raises(ValidationError):
        install_model(as_version(version), app, instead_of="")
    assert list(app.files.list("models/")) == []


def test_a_model_is_read_once_a_process_and_version(app: App) -> None:
    record = install_model(headline_model(), app, instead_of="")
    first = current_model("ctr", app).model
    app.files.delete(record.path)
    again = current_model("ctr", app.for_tenant(app.tenant_id)).model
    assert again is first
    install_model(as_version("headlines-2"), app, instead_of="headlines-1")
    other = current_model("ctr", app).model
    assert other is not None
    assert other.facts.version == "headlines-2"


def test_no_tenant_uses_the_model_of_another(app: App) -> None:
    install_model(headline_model(), app, instead_of="")
    assert current_model("ctr", app.for_tenant("acme")).model is None


def test_the_process_keeps_a_few_models_only(app: App) -> None:
    for n in range(trained_models.MOST_LOADED + 2):
        theirs = app.for_tenant(f"tenant-{n}")
        install_model(headline_model(), theirs, instead_of="")
        assert current_model("ctr", theirs).model is not None
    assert len(trained_models._loaded) == trained_models.MOST_LOADED


def test_a_file_of_another_version_is_not_believed(app: App) -> None:
    record = install_model(headline_model(), app, instead_of="")
    told = {**record.model_dump(mode="json"), "version": "headlines-9"}
    app.documents.put("models", "ctr", told)
    assert "is ctr headlines-1" in current_model("ctr", app).problem
