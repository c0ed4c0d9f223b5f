"""Who sits in the council: a language model or an annotator, each heard in the same way."""

from dataclasses import dataclass
from typing import Protocol

from shared.council_models import Annotations, Answer, Media, Opinion, Question, Sense, Usage
from shared.domain.council.annotated import opinion_of
from shared.domain.council.answers import read_opinion
from shared.errors import AnswerUnusable


class Model(Protocol):
    """What the council needs of a language model; ports.LanguageModel has it."""

    name: str
    senses: frozenset[Sense]

    def estimate(self, question: Question) -> Usage:
        """The most that a call can use."""

    def ask(self, question: Question, timeout_seconds: float) -> Answer:
        """Ask once."""


class Annotator(Protocol):
    """What the council needs of an annotator; ports.VideoAnnotator has it."""

    name: str

    def estimate(self, video: Media) -> Usage:
        """What a call uses."""

    def annotate(self, video: Media, timeout_seconds: float) -> Annotations:
        """Annotate once."""


@dataclass(frozen=True)
class Heard:
    """What a judge said; without an opinion, `problem` says why, and it cost all the same."""

    model: str
    usage: Usage
    opinion: Opinion | None
    problem: AnswerUnusable | None = None


class Seat(Protocol):
    """One judge and the question that it is going to be asked."""

    @property
    def name(self) -> str:
        """`scheme://model`."""

    @property
    def senses(self) -> tuple[Sense, ...]:
        """What it is really shown."""

    def estimate(self) -> Usage:
        """The most that hearing it can use."""

    def hear(self, timeout_seconds: float) -> Heard:
        """Ask it once; raises PipelineError."""


@dataclass(frozen=True)
class ModelSeat:
    """A language model with a question that holds only what it can see."""

    model: Model
    question: Question
    seconds: float
    deep: bool

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    @property
    def senses(self) -> tuple[Sense, ...]:
        """Text, and the kinds of media in the question."""
        kinds = {part.kind for part in self.question.media}
        shown: tuple[Sense, ...] = ("image", "video")
        return ("text", *(kind for kind in shown if kind in kinds))

    def estimate(self) -> Usage:
        """The most that the call can use."""
        return self.model.estimate(self.question)

    def hear(self, timeout_seconds: float) -> Heard:
        """Ask, and believe only what fits the form."""
        answer = self.model.ask(self.question, timeout_seconds)
        try:
            opinion = read_opinion(answer.text, self.seconds, deep=self.deep)
        except AnswerUnusable as problem:
            return Heard(answer.model, answer.usage, None, problem)
        return Heard(answer.model, answer.usage, opinion)


@dataclass(frozen=True)
class AnnotatorSeat:
    """An annotator with the video."""

    annotator: Annotator
    video: Media
    senses: tuple[Sense, ...] = ("video",)

    @property
    def name(self) -> str:
        """The annotator's name."""
        return self.annotator.name

    def estimate(self) -> Usage:
        """What the call uses."""
        return self.annotator.estimate(self.video)

    def hear(self, timeout_seconds: float) -> Heard:
        """Let it look, and judge by rules what it found."""
        found = self.annotator.annotate(self.video, timeout_seconds)
        return Heard(found.model, found.usage, opinion_of(found, self.video.seconds))
