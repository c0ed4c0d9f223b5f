"""What is judged: the facts that the maker of an ad brings, and what was measured on its file."""

from pydantic import Field

from shared.inference_models import TextLine, Transcript
from shared.models import Record, Speech

Value = float | str


class ShownText(Record):
    """Words that the video is meant to show, and when; empty times: all the time."""

    text: str
    start_seconds: float = 0.0
    end_seconds: float = Field(default=1e9, description="exclusive")
    top: float = Field(default=0.0, description="of its box, a fraction of the picture's height")
    bottom: float = Field(default=1.0, description="where the box ends")


class AdText(Record):
    """A text that goes beside the video, such as a headline; limits in characters."""

    field: str
    text: str
    most: int | None = Field(default=None, gt=0, description="longer ones are refused")
    shown: int | None = Field(default=None, gt=0, description="longer ones are cut off on screen")


class ShownFacts(Record):
    """What is known of an ad beside its file; everything may be empty."""

    language: str = Field(default="", description="ISO 639-1; empty: every language is looked for")
    shown: tuple[ShownText, ...] = ()
    captions: tuple[ShownText, ...] = Field(default=(), description="of what is said, as drawn")
    transcript: Transcript | None = None
    ad_texts: tuple[AdText, ...] = ()


class Measured(Record):
    """What was found in a file; one measurement serves every placement.

    Times count from the first frame. `text` is None when nothing could read, with the reason in
    `text_problem`; `speech` likewise.
    """

    values: dict[str, Value] = Field(description="by the name of their rule")
    width: int
    height: int
    length_seconds: float
    has_sound: bool
    text: tuple[TextLine, ...] | None = None
    text_problem: str = ""
    skipped_reads: int = Field(default=0, ge=0, description="changes too fast to be read")
    speech: tuple[Speech, ...] | None = ()
    speech_problem: str = ""

    @property
    def shape(self) -> float:
        """Width over height as displayed, pixels that are not square counted as they are seen."""
        ratio = self.values.get("ratio")
        return ratio if isinstance(ratio, float) else self.width / self.height
