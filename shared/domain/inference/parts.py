"""What the child hands over: text is read at once, the rest waits for its network.

Light to import: the child that decodes is started before the libraries of the networks are loaded.
"""

from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.domain.inference.aside import TextAside
from shared.models import InferenceTools

WARM_TEXT = "warm"


@dataclass
class Parts:
    """Parts of one video, and who reads its text."""

    text: TextAside
    frames: list[dict[str, Any]] = field(default_factory=list)
    faces: list[dict[str, Any]] = field(default_factory=list)
    sound: list[bytes] = field(default_factory=list)
    sound_start: float = 0.0

    def take(self, part: dict[str, Any]) -> None:
        """One part, while the child goes on."""
        kind = part["kind"]
        if kind == "frame":
            self.frames.append(part)
        elif kind == "face":
            self.faces.append(part)
        elif kind == "sound":
            self.sound_start = part["start"]
            self.sound.append(b64decode(part["pcm"]))
        else:
            self.text.take(part)


@contextmanager
def open_parts(tools: InferenceTools) -> Iterator[Parts]:
    """Where parts go; meanwhile the text reader is opened, and then the sentences' network."""
    with TextAside(lambda: _open_track(tools), warm=lambda: _warm(tools)) as text:
        yield Parts(text)


def _open_track(tools: InferenceTools) -> Any:
    from shared.domain.inference.engines import open_text_reader
    from shared.domain.inference.text import TextTrack

    return TextTrack(open_text_reader(tools.text_reader, Path(tools.models)))


def _warm(tools: InferenceTools) -> None:
    """Loads all that is needed at the end, when nothing else is left to do meanwhile."""
    import shared.domain.inference.infer  # noqa: F401 - for what it imports
    from shared.domain.inference.engines import open_sentences

    # The weights come into memory when they are used.
    open_sentences(tools.sentence_engine, Path(tools.models)).embed([WARM_TEXT])
