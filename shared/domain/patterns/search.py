"""Search over clips: by words and by meaning, one ranking of both, and why each was found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.clip_models import Clip, ClipFilter, ClipQuestion, Found, Hit, Match
from shared.domain.patterns.words import words_asked, words_in
from shared.errors import Rejected

RANK_CONSTANT = 60
DEPTH = 100
"""How far down each ranking may still count; nobody is shown more than that."""
MAX_QUESTION_WORDS = 64
LEAST_SIMILARITY = 0.2
"""Below this cosine two texts have nothing to do with each other; our judgement for MiniLM."""

K1, B = 1.2, 0.75
"""BM25's saturation of repeated words and weight of length, as its authors suggest."""


class QuestionEmpty(Rejected):
    """A question with nothing to look for: neither a word nor a condition."""


class Embedder(Protocol):
    """What turns texts into vectors of length 1, (texts, 384) float32."""

    model: str

    def embed(self, texts: list[str]) -> Any:
        """One row a text."""


@dataclass(frozen=True)
class Candidate:
    """A clip on one ranking: its id, and BM25 or cosine."""

    clip_id: str
    score: float


class ClipStore(Protocol):
    """Clips that can be asked for; the local index and the documents of the cloud are such."""

    def by_words(
        self, words: Sequence[str], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips with any of the words, best BM25 first, ties by id."""

    def by_meaning(
        self, vector: Sequence[float], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips whose vectors are closest, highest cosine first, ties by id."""

    def best(self, passing: ClipFilter, limit: int) -> Sequence[Candidate]:
        """The clips of highest score; unknown scores last, ties by id."""

    def clips(self, clip_ids: Sequence[str]) -> Mapping[str, Clip]:
        """The records of some clips; what is gone is left out."""

    @property
    def size(self) -> int | None:
        """How many clips there are; None where that is not counted."""

    def vector_problem(self, model: str) -> str:
        """Why vectors of that model cannot be compared with those here; empty when they can."""

    def remarks(self) -> Sequence[str]:
        """What of the last questions was not looked at."""


def search_clips(store: ClipStore, question: ClipQuestion, embedder: Embedder | None) -> Found:
    """Find clips; raises QuestionEmpty. The text is only ever compared, never interpreted.

    Without an embedder, or with one that did not make the stored vectors, words alone count.
    """
    text, passing = question.text.strip(), question.filter
    words = words_asked(text)[:MAX_QUESTION_WORDS]
    if not words and passing == ClipFilter():
        raise QuestionEmpty(f"{text[:80]!r} has no word to look for; write some, or set a filter")
    if not words:
        return _best_of(store, question)
    notes: list[str] = []
    rankings = {"words": store.by_words(words, passing, DEPTH)}
    problem = (
        "no embedding model here" if embedder is None else store.vector_problem(embedder.model)
    )
    if embedder is not None and not problem:
        vector = [float(number) for number in embedder.embed([text])[0]]
        near = store.by_meaning(vector, passing, DEPTH)
        rankings["meaning"] = [found for found in near if found.score >= LEAST_SIMILARITY]
    else:
        notes.append(f"searched by words only: {problem}")
    fused = fuse({name: [c.clip_id for c in found] for name, found in rankings.items()})
    hits = _hits(store, fused[: question.limit], rankings, words)
    notes += store.remarks()
    return Found(hits=hits, searched=store.size, by_meaning=not problem, notes=tuple(notes))


def fuse(rankings: Mapping[str, Sequence[str]]) -> list[tuple[str, float]]:
    """One ranking of several by reciprocal rank fusion: the sum of 1 / (60 + rank), best first.

    Cormack, Clarke and Buettcher, SIGIR 2009. Ties follow the id.
    """
    sums: dict[str, float] = {}
    for ranking in rankings.values():
        for rank, clip_id in enumerate(ranking, 1):
            sums[clip_id] = sums.get(clip_id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))


def searched_words(clip: Clip) -> list[str]:
    """Every word that finds a clip: what is said, written and seen, and the ad's name."""
    return words_in("\n".join(text for _, text in sources_of(clip)))


def sources_of(clip: Clip) -> list[tuple[str, str]]:
    """The texts of a clip by where they stand."""
    parts = (
        ("said", clip.transcript),
        ("on screen", clip.text),
        ("seen", " ".join(clip.objects or ())),
        ("name", clip.name),
    )
    return [(place, text) for place, text in parts if text]


def explain(hit: Hit) -> str:
    """Why a clip was found, in words: `"box" said, "woman" seen; meaning 0.61`."""
    places: dict[str, str] = {}
    for place, text in sources_of(hit.clip):
        for word in words_in(text):
            places.setdefault(word, place)
    reasons = [", ".join(f'"{w}" {places.get(w, "there")}' for w in hit.match.words)]
    if hit.match.similarity is not None:
        reasons.append(f"meaning {hit.match.similarity:.2f}")
    return "; ".join(reason for reason in reasons if reason) or "best score"


def _best_of(store: ClipStore, question: ClipQuestion) -> Found:
    found = store.best(question.filter, question.limit)
    clips = store.clips([one.clip_id for one in found])
    hits = tuple(
        Hit(clip=clips[one.clip_id], relevance=one.score, match=Match())
        for one in found
        if one.clip_id in clips
    )
    return Found(hits=hits, searched=store.size, by_meaning=False, notes=tuple(store.remarks()))


def _hits(
    store: ClipStore,
    fused: Iterable[tuple[str, float]],
    rankings: Mapping[str, Sequence[Candidate]],
    words: Sequence[str],
) -> tuple[Hit, ...]:
    places = {
        name: {c.clip_id: (rank, c.score) for rank, c in enumerate(found, 1)}
        for name, found in rankings.items()
    }
    wanted = list(fused)
    clips = store.clips([clip_id for clip_id, _ in wanted])
    hits = []
    for clip_id, relevance in wanted:
        if clip_id not in clips:
            continue
        own = set(searched_words(clips[clip_id]))
        word_rank, word_score = places["words"].get(clip_id, (None, None))
        rank, similarity = places.get("meaning", {}).get(clip_id, (None, None))
        match = Match(
            words=tuple(word for word in words if word in own),
            word_rank=word_rank,
            word_score=word_score,
            meaning_rank=rank,
            similarity=None if similarity is None else max(-1.0, min(1.0, similarity)),
        )
        hits.append(Hit(clip=clips[clip_id], relevance=relevance, match=match))
    return tuple(hits)
