"""From what a judge wrote to an opinion: it can fill the form, and do nothing else."""

from collections.abc import Iterable

from pydantic import ValidationError

from shared.council_models import Opinion, SceneAccount, Suggestion
from shared.domain.council.quoting import plain, without_links
from shared.errors import AnswerUnusable

MOST_CHARACTERS = 100_000
REMARK_CHARACTERS = 300


def read_opinion(text: str, seconds: float, *, deep: bool) -> Opinion:
    """The opinion in an answer about a video of `seconds`.

    Raises AnswerUnusable for anything that is not exactly the form: other keys, numbers out of
    range, texts too long. Hidden characters and links are taken out, times outside the video
    are dropped.
    """
    if len(text) > MOST_CHARACTERS:
        raise AnswerUnusable(f"{len(text)} characters; at most {MOST_CHARACTERS} are read")
    try:
        given = Opinion.model_validate_json(text)
    except ValidationError as problem:
        raise AnswerUnusable(f"not the form that was asked for: {_first(problem)}") from problem
    return given.model_copy(
        update={
            "strengths": tuple(_clean(given.strengths)),
            "weaknesses": tuple(_clean(given.weaknesses)),
            "suggestions": tuple(_suggestions(given, seconds)),
            "scenes": tuple(_scenes(given, seconds)) if deep else (),
        }
    )


def clean_remark(text: str) -> str:
    """One remark without links or hidden characters; empty when nothing is left."""
    return plain(without_links(plain(text, REMARK_CHARACTERS)), REMARK_CHARACTERS)


def _clean(texts: Iterable[str]) -> list[str]:
    return [text for text in map(clean_remark, texts) if text]


def _suggestions(given: Opinion, seconds: float) -> Iterable[Suggestion]:
    for one in given.suggestions:
        inside = one.at_seconds is not None and one.at_seconds <= seconds
        text = clean_remark(one.text)
        if text:
            yield Suggestion(at_seconds=one.at_seconds if inside else None, text=text)


def _scenes(given: Opinion, seconds: float) -> Iterable[SceneAccount]:
    for one in given.scenes:
        seen = clean_remark(one.seen)
        if seen and one.start_seconds < min(one.end_seconds, seconds):
            ends = min(one.end_seconds, seconds)
            yield one.model_copy(update={"seen": seen, "end_seconds": ends})


def _first(problem: ValidationError) -> str:
    """Where and why, without a word of the answer itself."""
    error = problem.errors(include_input=False, include_context=False, include_url=False)[0]
    known = all(isinstance(part, int) or part.isidentifier() for part in error["loc"])
    where = ".".join(map(str, error["loc"])) if known and error["type"] != "extra_forbidden" else ""
    kind = error["type"].replace("_", " ")
    return f"{where}: {kind}" if where else kind
