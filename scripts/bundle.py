"""Packs each stage as it is deployed: main.py, shared/ and requirements.txt in one zip."""

import argparse
import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.stages import ROOT, read_stages

CODE_AND_TEXT = {".py", ".sql", ".json", ".txt", ".md", ".yaml"}
MODELS = {".onnx", ".npz", ".safetensors", ".LICENSE"}
LICENCES = {"LICENSE", "NOTICE"}
FONTS = {".ttf"}
RENDERS = {"render", "local", "dev"}
EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16
UNIX = 3


class CannotBundle(Exception):
    """The checkout does not hold what a bundle needs, or holds what nobody knows."""


def bundle_files(stage: str, requirements: str, root: Path = ROOT) -> dict[str, Path]:
    """Where each file of a bundle comes from, by its path in the zip.

    Models go only to stages that have the libraries to run them, fonts to those that render.
    Raises CannotBundle.
    """
    files = {
        "main.py": root / "functions" / stage / "main.py",
        "requirements.txt": root / "requirements" / f"{requirements}.txt",
    }
    for path in _library(root / "shared"):
        light = path.suffix in MODELS and requirements == "base"
        if not light and (path.suffix not in FONTS or requirements in RENDERS):
            files[path.relative_to(root).as_posix()] = path
    missing = [path.relative_to(root).as_posix() for path in files.values() if not path.is_file()]
    if missing:
        raise CannotBundle(f"stage {stage}: there is no {' and no '.join(missing)}")
    return files


def _library(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        if "__pycache__" in inside or any(part.startswith(".") for part in inside) or path.is_dir():
            continue
        known = path.suffix in CODE_AND_TEXT | MODELS | FONTS or path.name in LICENCES
        if path.is_symlink() or not known:
            raise CannotBundle(
                f"{path}: neither code nor a known kind of data; remove it, or name its kind in"
                " scripts/bundle.py"
            )
        yield path


def zip_bytes(files: Mapping[str, Path]) -> bytes:
    """The zip of some files: the same bytes for the same contents, wherever it is made.

    Nothing is compressed, because two builds of zlib may compress alike files differently.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EARLIEST_TIME)
            entry.create_system = UNIX
            entry.external_attr = READABLE_FILE
            archive.writestr(entry, files[name].read_bytes())
    return buffer.getvalue()


def build_bundle(stage: str, out: Path, root: Path = ROOT) -> Path:
    """Write `<stage>-<hash>.zip` into `out` in place of the stage's older ones; returns its path.

    Raises CannotBundle for a stage that is not declared or not complete.
    """
    stages = read_stages(root / "functions" / "stages.yaml")
    if stage not in stages:
        raise CannotBundle(f"no stage {stage!r}; functions/stages.yaml has {', '.join(stages)}")
    content = zip_bytes(bundle_files(stage, stages[stage].requirements, root))
    bundle = out / f"{stage}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    out.mkdir(parents=True, exist_ok=True)
    half_written = bundle.with_suffix(f".{os.getpid()}.part")
    half_written.write_bytes(content)
    half_written.replace(bundle)
    for older in out.glob(f"{stage}-{'?' * 16}.zip"):
        if older != bundle:
            older.unlink()
    return bundle


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the named stages, or all of them; one line each."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bundle", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help="default: every stage")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "bundles", metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        for stage in options.stages or read_stages():
            bundle = build_bundle(stage, options.out)
            print(f"{bundle}  {bundle.stat().st_size / 1e6:.2f} MB")
    except CannotBundle as problem:
        print(f"bundle: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
