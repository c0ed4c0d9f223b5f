"""The manifest of networks: complete, honest about checksums, and checked before use."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli.models_fetch import fetch, fetch_all
from scripts.fetching import ModelHostFailed, ModelNotFetched
from shared.domain.inference.models import (
    UnknownModel,
    find_model,
    locate,
    manifest,
    model_named,
)
from shared.domain.video.detector import AnalyserUnavailable
from tests.support.web import web_of

BYTES = b"weights of a network"
SHA256 = hashlib.sha256(BYTES).hexdigest()


@pytest.mark.parametrize("model", manifest(), ids=lambda model: model.name)
def test_each_model_says_what_a_user_has_to_know(model) -> None:  # type: ignore[no-untyped-def]
    """Licence, shapes and purpose; a checksum of 64 digits or none, never another one."""
    assert all((model.licence, model.input, model.output, model.purpose))
    assert model.sha256 == "" or (len(model.sha256) == 64 and int(model.sha256, 16))
    assert model.package or model.file
    assert model.url == "" or model.url.startswith("https://")


def test_an_unknown_checksum_is_said_and_a_known_one_says_how() -> None:
    """What nobody vouches for is left to the user."""
    assert all(bool(model.sha256) == bool(model.evidence) for model in manifest())
    assert {m.name for m in manifest() if m.status == "unpinned"} == {
        "yolov8",
        "speech-emotion",
    }


def test_packaged_models_are_those_of_the_manifest() -> None:
    """The networks that come with our requirements have the checksums written down."""
    for model in manifest():
        if model.package:
            assert find_model(model.name, Path("no such folder")).is_file()


def test_an_absent_model_names_the_way_out(tmp_path: Path) -> None:
    """The command that fetches it, and the folder."""
    with pytest.raises(AnalyserUnavailable, match="gv models fetch yolox"):
        find_model("yolox", tmp_path)


def test_another_file_of_the_same_name_is_not_used(tmp_path: Path) -> None:
    """One byte is enough."""
    (tmp_path / model_named("yolox").file).write_bytes(BYTES)
    with pytest.raises(AnalyserUnavailable, match="is not the file of the manifest"):
        find_model("yolox", tmp_path)


def test_a_file_without_a_known_checksum_needs_somebody_to_vouch(tmp_path: Path) -> None:
    """Its sha256 beside it; when the file changes, it is refused again."""
    file = tmp_path / "yolov8n.onnx"
    file.write_bytes(BYTES)
    with pytest.raises(AnalyserUnavailable, match="nobody vouches"):
        find_model("yolov8", tmp_path)
    (tmp_path / "yolov8n.onnx.sha256").write_text(f"{SHA256}  yolov8n.onnx\n")
    assert find_model("yolov8", tmp_path) == file
    file.write_bytes(BYTES + b"!")
    with pytest.raises(AnalyserUnavailable, match="sha256 differs"):
        find_model("yolov8", tmp_path)


def test_an_unknown_name_lists_the_known_ones() -> None:
    """For those who type."""
    with pytest.raises(UnknownModel, match=r"there are .*yolox"):
        model_named("yolo")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """A server with one file, and one that it does not give whole."""
    served = tmp_path / "served"
    served.mkdir()
    (served / "weights.bin").write_bytes(BYTES)
    (served / "cut.bin").write_bytes(BYTES)
    with web_of(served) as address:
        yield address


def test_a_fetched_model_is_whole_and_checked(tmp_path: Path, host: str) -> None:
    """It lies where the manifest says, and nothing else does."""
    model = model_named("speech-weights").model_copy(
        update={"url": f"{host}/weights.bin", "sha256": SHA256}
    )
    folder = tmp_path / "models"
    file = fetch(model, folder)
    assert (file, file.read_bytes()) == (locate(model, folder), BYTES)
    assert [*file.parent.iterdir()] == [file]


def test_a_file_with_another_checksum_is_not_kept(tmp_path: Path, host: str) -> None:
    """Neither whole nor in part."""
    model = model_named("yolox").model_copy(update={"url": f"{host}/weights.bin"})
    with pytest.raises(ModelNotFetched, match=SHA256):
        fetch(model, tmp_path / "models")
    assert [*(tmp_path / "models").iterdir()] == []


def test_without_a_known_checksum_the_user_has_to_give_it(tmp_path: Path, host: str) -> None:
    """Then it is written down beside the file, and the model can be used."""
    model = model_named("yolov8").model_copy(update={"url": f"{host}/weights.bin"})
    with pytest.raises(ModelNotFetched, match="--sha256"):
        fetch(model, tmp_path)
    fetch(model, tmp_path, SHA256)
    assert find_model("yolov8", tmp_path).read_bytes() == BYTES


def test_a_host_that_does_not_have_it_is_said(tmp_path: Path, host: str) -> None:
    """With the address, and what else can be done."""
    model = model_named("yolox").model_copy(update={"url": f"{host}/other.bin"})
    with pytest.raises(ModelHostFailed, match="404"):
        fetch(model, tmp_path)


def test_a_file_that_breaks_off_is_the_hosts_failure(tmp_path: Path, host: str) -> None:
    """It may come whole the next time, so nobody is told that it is another file."""
    model = model_named("yolox").model_copy(update={"url": f"{host}/cut.bin", "sha256": SHA256})
    with pytest.raises(ModelHostFailed, match="20 of 1000 bytes"):
        fetch(model, tmp_path / "models")
    assert [*(tmp_path / "models").iterdir()] == []


def test_only_the_web_is_asked(tmp_path: Path) -> None:
    """A manifest cannot name a file of this machine."""
    secret = tmp_path / "secret.txt"
    secret.write_bytes(BYTES)
    model = model_named("yolox").model_copy(update={"url": secret.as_uri(), "sha256": SHA256})
    with pytest.raises(ModelNotFetched, match="no address of the web"):
        fetch(model, tmp_path / "models")


def test_what_can_be_had_is_fetched_and_the_rest_is_said(
    tmp_path: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One host that fails keeps nobody else out; one without an address is no failure."""
    gone = model_named("yolox").model_copy(update={"url": f"{host}/gone.bin"})
    there = model_named("speech-weights").model_copy(
        update={"url": f"{host}/weights.bin", "sha256": SHA256}
    )
    with pytest.raises(ModelHostFailed, match="not fetched: yolox;"):
        fetch_all([gone, model_named("yolov8"), there], tmp_path)
    assert (tmp_path / there.file).read_bytes() == BYTES
    said = capsys.readouterr().err
    assert "404" in said
    assert "'yolov8' has no address" in said
    fetch_all([model_named("yolov8"), there], tmp_path)


def test_a_model_without_an_address_is_not_fetched(tmp_path: Path) -> None:
    """Its user has to bring it."""
    with pytest.raises(ModelNotFetched, match="no address"):
        fetch(model_named("speech-emotion"), tmp_path)
