"""The folder that a render works in: one at a time, cleared before and after, safe names only."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.domain.render.refusals import RenderBusy

WORK = ".rendering"
FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="relative">fonts-cache</cachedir>
</fontconfig>
"""


@contextlib.contextmanager
def work_in(folder: Path) -> Iterator[Path]:
    """An empty work folder inside `folder`; what an earlier render left there is removed.

    Raises RenderBusy when another process renders into the same folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RenderBusy(f"another render is writing to {folder.name!r}; wait for it") from None
        work = (folder / WORK).resolve()
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(held)


def link_files(files: Mapping[str, Path], work: Path) -> dict[str, str]:
    """Each file under a name of our own: what a file is called never reaches ffmpeg."""
    links = {}
    for number, (name, path) in enumerate(files.items()):
        links[name] = f"source{number}"
        (work / links[name]).symlink_to(path.resolve())
    return links


def lay_out_fonts(paths: list[Path], work: Path) -> None:
    """The fonts of this render, and a fontconfig that knows no others."""
    fonts = work / "fonts"
    fonts.mkdir()
    for number, path in enumerate(paths):
        (fonts / f"{number:02}{path.suffix}").symlink_to(path.resolve())
    (work / "fonts.conf").write_text(FONTS_CONF)
