"""What a path of the Files port may be: checked before it is one."""

from typing import Annotated

from pydantic import AfterValidator


def check_path(path: str) -> str:
    """Return a path of the Files port unchanged; raises ValueError when it could leave its tenant.

    A path is `area/rest`: at least two segments, none of them empty, `.` or `..`, no control
    characters, at most 900 bytes of UTF-8.
    """
    segments = path.split("/")
    if len(segments) < 2 or any(segment in ("", ".", "..") for segment in segments):
        raise ValueError(f"{path!r} is not a path: expected area/name without empty, . or .. parts")
    if any(
        ord(character) < 32 or 0xD800 <= ord(character) <= 0xDFFF or character == "\x7f"
        for character in path
    ):
        raise ValueError(f"{path!r} is not a path: it holds control characters or broken Unicode")
    if len(path.encode()) > 900:
        raise ValueError(f"{path[:40]!r}... is not a path: longer than 900 bytes")
    return path


FilePath = Annotated[str, AfterValidator(check_path)]
