"""The clip index: exact against brute force, grown ad by ad, whole after crashes."""

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.clip_models import Clip, ClipFilter, ClipSet
from shared.domain.patterns.index import ClipIndex
from shared.domain.patterns.search import K1, B, searched_words
from shared.domain.patterns.words import words_asked
from tests.support.clips import MODEL, ToyEmbedder, ad_of, clip, ids

EVERY = ClipFilter()
VOCABULARY = [f"word{i}" for i in range(60)]


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences whose words are as unequal as in a language."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(VOCABULARY) + 1)
    weights /= weights.sum()
    return [
        " ".join(random.choice(VOCABULARY, size=random.integers(1, 20), p=weights))
        for _ in range(count)
    ]


@pytest.fixture
def index(tmp_path: Path) -> ClipIndex:
    return ClipIndex(tmp_path / "index")


def bm25(clips: dict[str, Clip], question: str) -> dict[str, float]:
    """BM25 as the paper has it, one clip after the other."""
    words = {id: Counter(searched_words(one)) for id, one in clips.items()}
    average = sum(w.total() for w in words.values()) / len(words)
    scores: dict[str, float] = {}
    for word in words_asked(question):
        having = [id for id, w in words.items() if w[word]]
        idf = math.log(1 + (len(words) - len(having) + 0.5) / (len(having) + 0.5))
        for id in having:
            tf = words[id][word]
            stretch = K1 * (1 - B + B * words[id].total() / average)
            scores[id] = scores.get(id, 0.0) + idf * tf * (K1 + 1) / (tf + stretch)
    return scores


def test_words_and_meaning_rank_as_brute_force_does(index: ClipIndex) -> None:
    """Ads taken in one by one, some twice, one taken away again."""
    ads = [ad_of(f"v{i:03}", *sentences(7, i)) for i in range(40)]
    for one in [*ads[:25], *ads[5:40]]:
        index.add([one])
    index.remove("v007")
    stored = {c.clip.clip_id: c for one in ads if one.video_id != "v007" for c in one.clips}
    clips = {id: c.clip for id, c in stored.items()}
    assert index.size == len(stored) == 39 * 7
    for question in sentences(15, seed=99):
        expected = bm25(clips, question)
        found = index.by_words(words_asked(question), EVERY, 10)
        best = sorted(expected.values(), reverse=True)[:10]
        assert [one.score for one in found] == pytest.approx(best, rel=1e-4)
        assert all(one.score == pytest.approx(expected[one.clip_id], rel=1e-4) for one in found)
        vector = ToyEmbedder().embed([question])[0]
        cosines = {id: float(np.dot(c.vector or [], vector)) for id, c in stored.items()}
        near = index.by_meaning(list(vector), EVERY, 10)
        assert [one.score for one in near] == pytest.approx(
            sorted(cosines.values(), reverse=True)[:10], abs=1e-5
        )


@pytest.mark.parametrize(
    "passing",
    [
        ClipFilter(min_score=0.5),
        ClipFilter(min_predicted_ctr=0.02),
        ClipFilter(hook_types=frozenset({"question", "unheard"})),
        ClipFilter(platforms=frozenset({"meta"}), has_face=True),
        ClipFilter(has_face=False),
        ClipFilter(languages=frozenset({"de"})),
        ClipFilter(video_id="v3"),
        ClipFilter(video_id="nobody"),
        ClipFilter(min_seconds=2.0, max_seconds=3.5),
        ClipFilter(from_seconds=1.5, to_seconds=4.0),
        ClipFilter(since=clip().made_at),
        ClipFilter(until=clip().made_at),
    ],
)
def test_the_columns_filter_as_the_records_say(index: ClipIndex, passing: ClipFilter) -> None:
    """What is unknown meets no condition, in both."""
    random = np.random.default_rng(5)
    clips = []
    for i in range(60):
        unknown = random.random(6) < 0.3
        one = clip(
            f"v{i // 10}",
            i % 10,
            transcript="same words",
            end_seconds=2.0 * (i % 10) + float(random.choice([0.5, 2.0, 3.5, 7.0])),
            score=None if unknown[0] else float(random.choice([0.1, 0.5, 0.7])),
            predicted_ctr=None if unknown[1] else float(random.choice([0.01, 0.02, 0.2])),
            hook_type=None if unknown[2] else str(random.choice(["question", "none", "command"])),
            has_face=None if unknown[3] else bool(random.random() < 0.5),
            platform="" if unknown[4] else str(random.choice(["meta", "tiktok"])),
            language="" if unknown[5] else str(random.choice(["en", "de"])),
        )
        clips.append(one)
    for first in range(0, 60, 10):
        made = ad_of(f"v{first // 10}")
        parts = tuple({"clip": c, "vector": None} for c in clips[first : first + 10])
        index.add([made.model_validate({**made.model_dump(), "clips": parts})])
    expected = {one.clip_id for one in clips if passing.accepts(one)}
    assert set(ids(index.by_words(["same"], passing, 100))) == expected
    assert set(ids(index.best(passing, 100))) == expected


def test_an_ad_takes_the_place_of_its_older_self(index: ClipIndex) -> None:
    index.add([ad_of("v", "old words", "gone clip")])
    index.add([ad_of("v", "new words")], mark="2")
    assert ids(index.by_words(["words"], EVERY, 10)) == ["v-0000"]
    assert index.by_words(["old"], EVERY, 10) == []
    assert list(index.clips(["v-0000", "v-0001"])) == ["v-0000"]
    assert (index.size, index.mark) == (1, "2")
    assert index.wasted == pytest.approx(2 / 3)


def test_what_is_stored_is_there_for_the_next_process(index: ClipIndex, tmp_path: Path) -> None:
    index.add([ad_of("v", "woman opens box")], mark="m")
    index.close()
    again = ClipIndex(tmp_path / "index")
    assert (again.size, again.mark) == (1, "m")
    assert ids(again.by_words(["box"], EVERY, 10)) == ["v-0000"]
    assert again.vector_problem(MODEL) == ""
    assert "toy" in again.vector_problem("other")


def test_what_a_crash_left_behind_is_not_seen(index: ClipIndex, tmp_path: Path) -> None:
    """Rows that were written but never committed."""
    index.add([ad_of("a", "woman opens box")])
    with pytest.raises(RuntimeError, match="pulled"):
        index.add(pulled_out())
    for name in ("rows.bin", "vectors.f32"):
        with (tmp_path / "index" / name).open("ab") as file:
            file.write(b"\xff" * 5000)
    index.add([ad_of("b", "a lady", "man closes door")])
    again = ClipIndex(tmp_path / "index")
    for one in (index, again):
        assert ids(one.by_words(["box", "door"], EVERY, 10)) == ["a-0000", "b-0001"]
        vector = ToyEmbedder().embed(["man closes door"])[0]
        assert ids(one.by_meaning(list(vector), EVERY, 1)) == ["b-0001"]


def pulled_out() -> Iterator[ClipSet]:
    yield ad_of("c", "lost words")
    raise RuntimeError("the plug was pulled")


def test_an_index_that_lost_its_end_is_begun_anew(index: ClipIndex, tmp_path: Path) -> None:
    index.add([ad_of("a", "woman opens box")], mark="m")
    index.close()
    (tmp_path / "index" / "vectors.f32").write_bytes(b"")
    again = ClipIndex(tmp_path / "index")
    assert (again.size, again.mark) == (0, "")


def test_a_reader_and_a_writer_do_not_disturb_each_other(index: ClipIndex, tmp_path: Path) -> None:
    """What comes after the reader looked is not half seen."""
    index.add([ad_of("a", "box")])
    reader = ClipIndex(tmp_path / "index")
    index.add([ad_of("b", "box"), ad_of("a", "other")])
    assert ids(reader.by_words(["box"], EVERY, 10)) == []
    reader.reload()
    assert ids(reader.by_words(["box"], EVERY, 10)) == ["b-0000"]


def test_vectors_of_another_model_are_left_out(index: ClipIndex) -> None:
    index.add([ad_of("a", "woman opens box")])
    other = ad_of("b", "woman opens box").model_copy(update={"model": "other"})
    index.add([other])
    vector = list(ToyEmbedder().embed(["woman opens box"])[0])
    assert ids(index.by_meaning(vector, EVERY, 10)) == ["a-0000"]
    assert ids(index.by_words(["box"], EVERY, 10)) == ["a-0000", "b-0000"]


def test_an_empty_index_answers(index: ClipIndex) -> None:
    assert index.by_words(["x"], EVERY, 5) == []
    assert index.by_meaning([0.0] * 384, EVERY, 5) == []
    assert index.best(EVERY, 5) == []
    assert "no clip" in index.vector_problem(MODEL)


WRITER = """
import sys
from pathlib import Path
from shared.domain.patterns.index import ClipIndex
from tests.support.clips import ad_of

index = ClipIndex(Path(sys.argv[1]))
for number in range(10_000):
    texts = [f"ad number{number} shot{shot} everywhere" for shot in range(5)]
    index.add([ad_of(f"v{number % 50:03}", *texts)], mark=str(number))
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_loses_nothing_that_it_said(tmp_path: Path) -> None:
    """Four processes in turn; each finds a whole index, and whole ads only."""
    folder = tmp_path / "index"
    for kill_after in (1, 7, 23, 61):
        command = [sys.executable, "-c", WRITER, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            said = [line for line, _ in zip(writer.stdout, range(kill_after), strict=False)]
            writer.kill()
        index = ClipIndex(folder)
        assert int(index.mark) >= int(said[-1])
        found = index.by_words(["everywhere"], EVERY, 1000)
        assert len(found) == index.size
        assert index.size == 5 * len({one.clip_id[:4] for one in found})
        (first, *_) = index.by_words([f"number{index.mark}"], EVERY, 10)
        assert first.clip_id.startswith(f"v{int(index.mark) % 50:03}")
        text = index.clips([first.clip_id])[first.clip_id].transcript
        vector = list(ToyEmbedder().embed([str(text)])[0])
        (near,) = index.by_meaning(vector, EVERY, 1)
        assert near.score == pytest.approx(1, abs=1e-5)
        index.close()
