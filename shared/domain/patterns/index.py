"""The clip index of one machine: a folder that is grown ad by ad and read through memory maps.

Words and records lie in SQLite, vectors and what is filtered by in two flat files with one row a
clip. Rows are only ever added: what SQLite has committed counts, and what a crash left behind it
in the flat files is overwritten. All of it can be built anew from what it was built from.
"""

import math
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.clip_models import Clip, ClipFilter, ClipSet, ClipVector
from shared.domain.patterns.columns import ROW, Codes, mask_of, row_of
from shared.domain.patterns.search import K1, B, Candidate, searched_words

SCHEMA_VERSION = "1"
DIMENSIONS = 384
FULL_CHUNK = 512
MOST_TIES = 1_000
BUSY_SECONDS = 30.0
POSTING = np.dtype([("row", "<u4"), ("count", "<u2"), ("length", "<u2")])
_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE clips (row INTEGER PRIMARY KEY, clip_id TEXT UNIQUE NOT NULL,
    video_id TEXT NOT NULL, words INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX clips_of_video ON clips (video_id);
CREATE TABLE gone (row INTEGER PRIMARY KEY);
CREATE TABLE sources (video_id TEXT PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE codes (column TEXT, text TEXT, code INTEGER, PRIMARY KEY (column, text)) WITHOUT ROWID;
CREATE TABLE postings (word TEXT, chunk INTEGER, data BLOB NOT NULL,
    PRIMARY KEY (word, chunk)) WITHOUT ROWID;
"""

Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]


class ClipIndex:
    """A ClipStore in a folder. One at a time writes; who reads sees whole ads only."""

    def __init__(self, folder: Path) -> None:
        """Open or begin an index; one of another version, or cut short, is begun anew."""
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sql = self._open()
        if self._is_whole():
            self._begin()
        else:
            self.clear()

    def clear(self) -> None:
        """Forget everything and begin anew."""
        self._sql.close()
        shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)
        self._sql = self._open()
        self._begin()

    def close(self) -> None:
        """Let go of the files."""
        self._sql.close()

    @property
    def size(self) -> int:
        """How many clips there are."""
        return int(self._alive.sum())

    @property
    def mark(self) -> str:
        """Up to where its source was taken in, as `add` was told; empty at the beginning."""
        return self._fact("mark") or ""

    @property
    def wasted(self) -> float:
        """The share of rows whose clips are gone; above a third a new index is worth its time."""
        return 1.0 - self.size / len(self._rows) if len(self._rows) else 0.0

    def vector_problem(self, model: str) -> str:
        """Why vectors of that model cannot be compared with those here; empty when they can."""
        ours = self._fact("model")
        if ours is None:
            return "no clip here has a vector"
        return (
            "" if ours == model else f"the clips' vectors are of {ours}, the question's of {model}"
        )

    def remarks(self) -> Sequence[str]:
        """Nothing: every clip is always looked at."""
        return ()

    def stamp(self, video_id: str) -> str:
        """Which state of an ad was taken in, as `add` was told; empty when none was."""
        row = self._sql.execute("SELECT stamp FROM sources WHERE video_id = ?", [video_id])
        return str((row.fetchone() or ("",))[0])

    def reload(self) -> None:
        """See what another process has taken in since."""
        if self._data_version() != self._seen:
            self._load()

    def add(
        self,
        sets: Iterable[ClipSet],
        *,
        stamps: Mapping[str, str] | None = None,
        mark: str | None = None,
    ) -> int:
        """Take in ads, each in place of what was here of it; returns how many clips came.

        All or none: a reader sees the index before or after. Vectors of another model than those
        here, or of another length than 384, are left out; words still find such clips.
        """
        newest = {one.video_id: one for one in sets}
        with self._writing():
            for video_id in newest:
                self._forget(video_id)
            clips = [clip for one in newest.values() for clip in self._usable(one)]
            if clips:
                self._append(clips)
            self._sql.executemany(
                "INSERT OR REPLACE INTO sources VALUES (?, ?)", list((stamps or {}).items())
            )
            if mark is not None:
                self._keep("mark", mark)
        self._load()
        return len(clips)

    def remove(self, video_id: str) -> None:
        """Forget an ad; nothing happens when it is not here."""
        with self._writing():
            self._forget(video_id)
        self._load()

    def by_words(
        self, words: Sequence[str], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips with any of the words, best BM25 first, ties by id.

        Robertson and Zaragoza, 2009, with the never negative weight of rare words of Lucene:
        ln(1 + (N - n + 0.5) / (n + 0.5)).
        """
        scores = np.zeros(len(self._rows), np.float32)
        average = self._word_total / max(1, self.size)
        for word in words:
            found = self._postings(word)
            found = found[self._alive[found["row"]]]
            rarity = math.log1p((self.size - len(found) + 0.5) / (len(found) + 0.5))
            count = found["count"].astype(np.float32)
            stretch = K1 * (1 - B + B * found["length"] / max(1.0, average))
            scores[found["row"]] += rarity * count * (K1 + 1) / (count + stretch)
        return self._top(scores, (scores > 0) & self._passing(passing), limit)

    def by_meaning(
        self, vector: Sequence[float], passing: ClipFilter, limit: int
    ) -> Sequence[Candidate]:
        """The clips whose vectors are closest, highest cosine first, ties by id; exact."""
        question = np.asarray(vector, np.float32)
        if question.shape != (DIMENSIONS,) or not len(self._rows):
            return []
        mask = self._passing(passing) & (self._rows["has_vector"] == 1)
        return self._top(np.asarray(self._vectors @ question), mask, limit)

    def best(self, passing: ClipFilter, limit: int) -> Sequence[Candidate]:
        """The clips of highest score; unknown scores last, ties by id."""
        scores = np.nan_to_num(self._rows["score"], nan=0.0)
        return self._top(scores, self._passing(passing), limit)

    def clips(self, clip_ids: Sequence[str]) -> Mapping[str, Clip]:
        """The records of some clips; what is gone is left out."""
        marks = ",".join("?" * len(clip_ids))
        rows = self._sql.execute(
            f"SELECT clip_id, record FROM clips WHERE clip_id IN ({marks})",  # noqa: S608
            list(clip_ids),
        )
        return {clip_id: Clip.model_validate_json(record) for clip_id, record in rows}

    def _begin(self) -> None:
        with self._writing():
            if self._fact("schema") is None:
                for statement in _TABLES.split(";"):
                    self._sql.execute(statement)
                self._keep("schema", SCHEMA_VERSION)
        self._loaded = -1
        self._load()

    def _is_whole(self) -> bool:
        """Whether the flat files hold what was committed: a power cut may have lost their end."""
        rows = int(self._fact("rows") or 0)
        sizes = {"rows.bin": ROW.itemsize * rows, "vectors.f32": 4 * DIMENSIONS * rows}
        return self._fact("schema") in (None, SCHEMA_VERSION) and all(
            not size or ((path := self._folder / name).exists() and path.stat().st_size >= size)
            for name, size in sizes.items()
        )

    def _open(self) -> sqlite3.Connection:
        sql = sqlite3.connect(self._folder / "index.db", timeout=BUSY_SECONDS, isolation_level=None)
        sql.execute("PRAGMA journal_mode = WAL")
        sql.execute("PRAGMA synchronous = NORMAL")
        return sql

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._sql.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._sql.execute("COMMIT")
        finally:
            if self._sql.in_transaction:
                self._sql.execute("ROLLBACK")

    def _fact(self, name: str) -> str | None:
        try:
            row = self._sql.execute("SELECT value FROM facts WHERE name = ?", [name]).fetchone()
        except sqlite3.OperationalError as problem:
            if "no such table" in str(problem):
                return None
            raise
        return str(row[0]) if row else None

    def _keep(self, name: str, value: str) -> None:
        self._sql.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", [name, value])

    def _load(self) -> None:
        """See what is committed now: one transaction for counts, codes and what is gone."""
        with closing(self._sql.cursor()) as cursor:
            cursor.execute("BEGIN")
            self._seen = self._data_version()
            count = int(self._fact("rows") or 0)
            self._word_total = int(self._fact("words") or 0)
            gone = [row for (row,) in cursor.execute("SELECT row FROM gone")]
            self._codes = Codes(cursor.execute("SELECT column, text, code FROM codes").fetchall())
            cursor.execute("COMMIT")
        self._alive: Mask = np.ones(count, np.bool_)
        self._alive[gone] = False
        if count == self._loaded:
            return
        self._rows = self._mapped("rows.bin", ROW, (count,))
        self._vectors = self._mapped("vectors.f32", np.dtype("<f4"), (count, DIMENSIONS))
        self._loaded = count

    def _data_version(self) -> int:
        """A number that changes when another connection commits."""
        return int(self._sql.execute("PRAGMA data_version").fetchone()[0])

    def _mapped(self, name: str, kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        if not shape[0]:
            return np.zeros(shape, kind)
        # A plain array on the map: the subclass would make every small operation slower.
        return np.asarray(np.memmap(self._folder / name, kind, "r", shape=shape))

    def _usable(self, ads: ClipSet) -> Iterator[ClipVector]:
        """The clips of one ad, without vectors that cannot be compared with those here."""
        ours = self._fact("model")
        if ours is None and any(one.vector for one in ads.clips):
            self._keep("model", ads.model)
            ours = ads.model
        for one in ads.clips:
            fits = one.vector is not None and len(one.vector) == DIMENSIONS and ads.model == ours
            yield one if fits else one.model_copy(update={"vector": None})

    def _forget(self, video_id: str) -> None:
        rows = self._sql.execute(
            "SELECT row, words FROM clips WHERE video_id = ?", [video_id]
        ).fetchall()
        self._sql.executemany("INSERT INTO gone VALUES (?)", [(row,) for row, _ in rows])
        self._sql.execute("DELETE FROM clips WHERE video_id = ?", [video_id])
        self._sql.execute("DELETE FROM sources WHERE video_id = ?", [video_id])
        words = int(self._fact("words") or 0) - sum(words for _, words in rows)
        self._keep("words", str(words))

    def _append(self, clips: Sequence[ClipVector]) -> None:
        first = int(self._fact("rows") or 0)
        codes = Codes(self._sql.execute("SELECT column, text, code FROM codes"))
        vectors = np.zeros((len(clips), DIMENSIONS), "<f4")
        rows = np.zeros(len(clips), ROW)
        postings: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        records, total = [], 0
        for at, one in enumerate(clips):
            rows[at] = row_of(one.clip, codes, has_vector=one.vector is not None)
            if one.vector is not None:
                vectors[at] = one.vector
            words = searched_words(one.clip)
            total += len(words)
            for word, count in Counter(words).items():
                postings[word].append((first + at, count, len(words)))
            clip = one.clip
            text = clip.model_dump_json()
            records.append((first + at, clip.clip_id, clip.video_id, len(words), text))
        self._write("rows.bin", first * ROW.itemsize, rows.tobytes())
        self._write("vectors.f32", first * DIMENSIONS * 4, vectors.tobytes())
        self._sql.executemany("INSERT INTO clips VALUES (?, ?, ?, ?, ?)", records)
        self._sql.executemany("INSERT INTO codes VALUES (?, ?, ?)", codes.new)
        self._add_postings(postings)
        self._keep("rows", str(first + len(clips)))
        self._keep("words", str(int(self._fact("words") or 0) + total))

    def _write(self, name: str, offset: int, data: bytes) -> None:
        """Add behind what is committed; what a crash left there is cut off first."""
        path = self._folder / name
        path.touch()
        with path.open("r+b") as file:
            file.truncate(offset)
            file.seek(offset)
            file.write(data)

    def _add_postings(self, postings: Mapping[str, Sequence[tuple[int, int, int]]]) -> None:
        """Fill up each word's last chunk, so that a word of many ads stays a few chunks."""
        changed = []
        for word, entries in postings.items():
            last = self._sql.execute(
                "SELECT chunk, data FROM postings WHERE word = ? ORDER BY chunk DESC LIMIT 1",
                [word],
            ).fetchone()
            data = np.array(entries, POSTING).tobytes()
            chunk, old = last or (0, b"")
            if len(old) < FULL_CHUNK * POSTING.itemsize:
                changed.append((word, chunk, old + data))
            else:
                changed.append((word, chunk + 1, data))
        self._sql.executemany("INSERT OR REPLACE INTO postings VALUES (?, ?, ?)", changed)

    def _postings(self, word: str) -> NDArray[Any]:
        """The rows with a word; those of ads that came after this was loaded are left out."""
        rows = self._sql.execute("SELECT data FROM postings WHERE word = ?", [word])
        found = np.frombuffer(b"".join(data for (data,) in rows), POSTING)
        return found[found["row"] < len(self._rows)]

    def _passing(self, passing: ClipFilter) -> Mask:
        return self._alive & mask_of(self._rows, passing, self._codes)

    def _top(self, scores: Scores, mask: Mask, limit: int) -> list[Candidate]:
        """The best of those in the mask; of thousands alike, the earliest rows."""
        rows = np.flatnonzero(mask)
        if len(rows) > limit:
            least = np.partition(scores[rows], len(rows) - limit)[len(rows) - limit]
            rows = rows[scores[rows] >= least]
        found = [(self._id_of(int(row)), float(scores[row])) for row in rows[:MOST_TIES]]
        pairs = [Candidate(clip_id, score) for clip_id, score in found if clip_id]
        return sorted(pairs, key=lambda one: (-one.score, one.clip_id))[:limit]

    def _id_of(self, row: int) -> str:
        """The clip of a row; empty when somebody has just taken it away."""
        found = self._sql.execute("SELECT clip_id FROM clips WHERE row = ?", [row]).fetchone()
        return str(found[0]) if found else ""
