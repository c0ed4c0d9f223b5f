"""What the council needs from outside: who has an opinion of a video, and who measures one."""

from typing import TYPE_CHECKING, Protocol, Self

from shared.ports import Secrets

if TYPE_CHECKING:
    # Stages that judge nothing need not wait for these.
    from shared.council_models import Annotations, Answer, Media, Question, Sense, Usage


class LanguageModel(Protocol):
    """A judge that reads a question and answers in the form it is given."""

    name: str
    """`scheme://model`, as the settings name it."""
    senses: "frozenset[Sense]"
    """What it can be shown."""

    def with_secrets(self, secrets: Secrets) -> Self:
        """The same model, asked with the key of one tenant."""

    def estimate(self, question: "Question") -> "Usage":
        """The most that a call can use; nothing is sent."""

    def ask(self, question: "Question", timeout_seconds: float) -> "Answer":
        """Ask once, without a retry; the whole call ends in time.

        Raises QuotaExceeded, JudgeTimeout, JudgeUnavailable, JudgeBlocked, ModelRetired,
        KeyRefused, SecretMissing, or AnswerUnusable when the answer was cut or is none.
        """


class VideoAnnotator(Protocol):
    """Says what is in a video, by measuring and without an opinion."""

    name: str

    def estimate(self, video: "Media") -> "Usage":
        """What a call uses; nothing is sent."""

    def annotate(self, video: "Media", timeout_seconds: float) -> "Annotations":
        """Annotate once; raises what LanguageModel.ask raises."""
