"""Clips in our stores: kept by the stage, searched in Documents, mirrored into a local index."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import log1p
from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.clip_models import AdRecord, Clip, ClipFilter, ClipSet, SimilarAd
from shared.domain.patterns.search import K1, B, Candidate, searched_words
from shared.domain.patterns.similar import rank_similar
from shared.domain.patterns.words import word_key
from shared.ports import ABSENT, Delete, Document, Documents, Put, Where, Write

if TYPE_CHECKING:  # it needs numpy, which the stage does without
    from shared.domain.patterns.index import ClipIndex

ADS, CLIPS = "ads", "clips"
"""Kinds of documents: one an ad with the vector of all its words, one a clip with its own."""
WRITES_AT_ONCE = 100
MAX_DOCUMENT_WORDS = 400
"""Different words of one clip that find it in the cloud; each costs two index entries."""
USUAL_WORDS = 25.0
"""Length of a clip against which BM25 weighs in Documents, where nobody knows the mean."""
POSTINGS = 300
MOST_LOOKED_AT = 1_000
OVERLAP = timedelta(minutes=15)
"""How much later than its stamp a document may become visible; looked at again each time."""
MOST_WASTED = 1 / 3


def keep_clips(ads: ClipSet, record: AdRecord, path: str, app: App) -> None:
    """Store the clips of an ad so that they are found; those of an earlier run go.

    The ad's document comes last: who sees it finds all clips. Results that were reported of the
    ad stay. Raises Conflict when somebody changed the ad meanwhile.
    """
    old = _clip_ids(ads.video_id, app.documents)
    writes: list[Write] = [
        Put(CLIPS, one.clip.clip_id, clip_document(one.clip), vector=_direction(one.vector))
        for one in ads.clips
    ]
    new = {write.id for write in writes}
    writes += [Delete(CLIPS, clip_id) for clip_id in old if clip_id not in new]
    for first in range(0, len(writes), WRITES_AT_ONCE):
        app.documents.commit(writes[first : first + WRITES_AT_ONCE])
    before = app.documents.get(ADS, ads.video_id)
    results = {key: before.data[key] for key in _RESULTS if key in before.data} if before else {}
    facts = {**record.model_dump(mode="json"), **results}
    facts |= {"path": path, "model": ads.model, "indexed_at": _stamp(app.now())}
    version = before.version if before else ABSENT
    vector = _direction(ads.whole)
    app.documents.commit([Put(ADS, ads.video_id, facts, expect=version, vector=vector)])


_RESULTS = (
    *("started_at", "impressions", "clicks", "conversions", "revenue_per_spend"),
    *("industry", "objective", "hook_template", "cta_template"),
)


def clip_document(clip: Clip) -> dict[str, Any]:
    """A clip as it lies in Documents: the record, and each of its words with its BM25 weight."""
    words = searched_words(clip)
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    stretch = K1 * (1 - B + B * len(words) / USUAL_WORDS)
    weights = {
        word_key(word): round(count * (K1 + 1) / (count + stretch), 4)
        for word, count in list(counts.items())[:MAX_DOCUMENT_WORDS]
    }
    return {"clip": clip.model_dump(mode="json"), "words": weights}


class DocumentClips:
    """A ClipStore on the Documents port: Firestore's vector index, and one index entry a word.

    Filters are looked at after the nearest and the weightiest were fetched, because Firestore
    would need one index a combination of them; `remarks` says when that cut an answer short.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._seen: dict[str, Clip] = {}
        self._remarks: list[str] = []

    @property
    def size(self) -> int | None:
        """Not counted: that would read every clip."""
        return None

    def vector_problem(self, model: str) -> str:
        """Why vectors of that model cannot be compared with those here; empty when they can."""
        page = self._documents.query(ADS, order_by="indexed_at", descending=True, limit=20)
        models = [m for document in page.documents if (m := str(document.data["model"]))]
        if not models:
            return "no recent ad here has a vector"
        return "" if model in models else f"vectors here are of {models[0]}, not of {model}"

    def remarks(self) -> Sequence[str]:
        """What of the last questions was not looked at."""
        return tuple(dict.fromkeys(self._remarks))

    def by_words(
        self, words: Sequence[str], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips with any of the words, best first, ties by id.

        BM25 over each word's 300 weightiest clips. How rare a word is, is known up to there: all
        words of more clips weigh alike.
        """
        scores: dict[str, float] = {}
        for word in words:
            field = f"words.{word_key(word)}"
            page = self._documents.query(CLIPS, order_by=field, descending=True, limit=POSTINGS)
            if page.next_cursor is not None:
                self._remarks.append(f"{word!r} is in more clips than the {POSTINGS} looked at")
            rarity = log1p(POSTINGS / max(1, len(page.documents)))
            for document in page.documents:
                if passing.accepts(self._clip(document)):
                    weight = float(document.data["words"][word_key(word)])
                    scores[document.id] = scores.get(document.id, 0.0) + rarity * weight
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        return [Candidate(clip_id, score) for clip_id, score in best[:limit]]

    def by_meaning(
        self, vector: Sequence[float], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips whose vectors are closest, highest cosine first; of the 1,000 nearest."""
        asked = limit
        while True:
            near = self._documents.nearest(CLIPS, vector, limit=asked)
            found = [
                Candidate(document.id, 1.0 - distance)
                for document, distance in near
                if passing.accepts(self._clip(document))
            ]
            if len(found) >= limit or len(near) < asked:
                return found[:limit]
            if asked == MOST_LOOKED_AT:
                self._remarks.append(f"the filter left {len(found)} of the {asked} nearest clips")
                return found
            asked = min(MOST_LOOKED_AT, 4 * asked)

    def best(self, passing: ClipFilter, limit: int) -> Sequence[Candidate]:
        """The clips of highest score, of the 1,000 best; unknown scores last."""
        found: list[Candidate] = []
        page = self._documents.query(
            CLIPS, order_by="clip.score", descending=True, limit=MOST_LOOKED_AT
        )
        for document in page.documents:
            clip = self._clip(document)
            if passing.accepts(clip):
                found.append(Candidate(document.id, clip.score or 0.0))
        if page.next_cursor is not None and len(found) < limit:
            self._remarks.append(f"only the {MOST_LOOKED_AT} clips of highest score looked at")
        return sorted(found, key=lambda one: (-one.score, one.clip_id))[:limit]

    def clips(self, clip_ids: Sequence[str]) -> Mapping[str, Clip]:
        """The records of some clips; what is gone is left out."""
        for clip_id in clip_ids:
            if clip_id not in self._seen:
                document = self._documents.get(CLIPS, clip_id)
                if document is not None:
                    self._clip(document)
        return {clip_id: self._seen[clip_id] for clip_id in clip_ids if clip_id in self._seen}

    def _clip(self, document: Document) -> Clip:
        if document.id not in self._seen:
            self._seen[document.id] = Clip.model_validate(document.data["clip"])
        return self._seen[document.id]


def refresh_index(index: "ClipIndex", app: App) -> int:
    """Take into a local index what came into the stores since last time; returns how many ads."""
    index.reload()
    if index.wasted > MOST_WASTED:
        index.clear()
    count, mark = 0, index.mark
    since = _stamp(datetime.fromisoformat(mark) - OVERLAP) if mark else ""
    for documents in _pages(app.documents, since):
        fresh = [d for d in documents if index.stamp(d.id) != d.data["indexed_at"]]
        sets = [ClipSet.model_validate_json(app.files.read(str(d.data["path"]))) for d in fresh]
        stamps = {d.id: str(d.data["indexed_at"]) for d in fresh}
        mark = max(mark, *(str(d.data["indexed_at"]) for d in documents))
        if fresh:
            index.add(sets, stamps=stamps, mark=mark)
        count += len(fresh)
    return count


def similar_ads(
    vector: Sequence[float], app: App, *, limit: int = 10, but: str = ""
) -> tuple[SimilarAd, ...]:
    """Past ads of this tenant that resemble a vector, those that won and are recent first.

    `but` is left out: the ad itself. Of the 100 nearest.
    """
    near = app.documents.nearest(ADS, list(vector), limit=100)
    known = [(record_of(document), 1 - far) for document, far in near if document.id != but]
    return rank_similar(known, app.now())[:limit]


def known_ads(app: App) -> Iterator[AdRecord]:
    """Every ad of this tenant, with its results where somebody reported them."""
    for page in _pages(app.documents, ""):
        yield from map(record_of, page)


def ads_with_results(app: App, most: int) -> Iterator[AdRecord]:
    """The tenant's ads that were shown, those shown most first, `most` of them at most."""
    cursor: str | None = None
    left = most
    while left:
        page = app.documents.query(
            ADS,
            [Where("impressions", ">", 0)],
            order_by="impressions",
            descending=True,
            limit=min(500, left),
            cursor=cursor,
        )
        yield from map(record_of, page.documents)
        left -= len(page.documents)
        cursor = page.next_cursor
        if cursor is None:
            return


def record_of(document: Document) -> AdRecord:
    """The ad in its document, which holds more than that."""
    fields = {key: document.data[key] for key in AdRecord.model_fields if key in document.data}
    return AdRecord.model_validate(fields)


def _pages(documents: Documents, since: str) -> Iterator[Sequence[Document]]:
    where = [Where("indexed_at", ">=", since)]
    cursor: str | None = None
    while True:
        page = documents.query(ADS, where, order_by="indexed_at", limit=200, cursor=cursor)
        if page.documents:
            yield page.documents
        cursor = page.next_cursor
        if cursor is None:
            return


def _clip_ids(video_id: str, documents: Documents) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    where = [Where("clip.video_id", "==", video_id)]
    while True:
        page = documents.query(CLIPS, where, limit=1000, cursor=cursor)
        found += [document.id for document in page.documents]
        cursor = page.next_cursor
        if cursor is None:
            return found


def _direction(vector: Sequence[float] | None) -> Sequence[float] | None:
    """A vector that can be stored: one of no length has no direction."""
    return vector if vector and any(vector) else None


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
