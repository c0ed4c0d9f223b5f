"""Clips are found alike in the local index, in SQLite's documents and in Firestore's."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.app import App
from shared.clip_models import AdRecord, ClipFilter, ClipQuestion, ClipSet
from shared.clips import DocumentClips, keep_clips, refresh_index, similar_ads
from shared.domain.patterns.index import ClipIndex
from shared.domain.patterns.search import ClipStore, search_clips
from shared.ports import Documents, Merge
from tests.support.apps import Clock as AppClock
from tests.support.apps import local_app
from tests.support.clips import NOON, ToyEmbedder, ad_of, ids


@pytest.fixture
def moment() -> AppClock:
    return AppClock()


@pytest.fixture
def app(everyone: Documents, tmp_path: Path, moment: AppClock) -> App:
    """An App on the store under test, for a tenant that no other test has."""
    app = local_app(tmp_path / "local", moment)
    adapters = replace(app.adapters, documents=lambda: everyone)
    return replace(app, adapters=adapters).for_tenant(f"t{uuid4().hex}")


@pytest.fixture(params=["documents", "index"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def store(way: str, app: App, tmp_path: Path) -> ClipStore:
    """The clips of the app, as one searches them in the cloud or on a laptop."""
    if way == "documents":
        return DocumentClips(app.documents)
    index = ClipIndex(tmp_path / "index")
    refresh_index(index, app)
    return index


def keep(app: App, ads: ClipSet, run: int = 1) -> None:
    """An ad as the stage keeps it."""
    path = f"clips/{ads.video_id}/{run}.json"
    app.files.write(path, ads.model_dump_json().encode(), once=True)
    record = AdRecord(video_id=ads.video_id, made_at=NOON, clips=len(ads.clips))
    keep_clips(ads, record, path, app)


def whole(ads: ClipSet, text: str) -> ClipSet:
    """The same ad with a vector of all its words."""
    vector = tuple(map(float, ToyEmbedder().embed([text])[0]))
    return ads.model_copy(update={"whole": vector})


def three_ads(app: App) -> None:
    keep(app, ad_of("a", "a woman opens the box", "buy it today", score=0.4, has_face=True))
    keep(app, ad_of("b", "girl unwraps parcel", "", score=0.9))
    keep(app, ad_of("c", "the dog runs", "café für zwei", "女性が箱を開ける", score=0.2))


@pytest.mark.parametrize(
    ("question", "hits"),
    [
        (ClipQuestion(text="woman opens box", limit=2), ["a-0000", "b-0000"]),
        (ClipQuestion(text="CAFE"), ["c-0001"]),
        (ClipQuestion(text="箱を開ける"), ["c-0002"]),
        (ClipQuestion(text="today", filter=ClipFilter(min_score=0.5)), []),
        (ClipQuestion(text="parcel", filter=ClipFilter(min_score=0.5)), ["b-0000"]),
        (ClipQuestion(filter=ClipFilter(min_score=0.3)), ["b-0000", "b-0001", "a-0000", "a-0001"]),
        (ClipQuestion(filter=ClipFilter(has_face=True), limit=1), ["a-0000"]),
        (ClipQuestion(text="today", filter=ClipFilter(from_seconds=2.0)), ["a-0001"]),
        (ClipQuestion(text='"; DROP TABLE documents --'), []),
    ],
)
def test_a_question_has_one_answer(
    app: App, way: str, tmp_path: Path, question: ClipQuestion, hits: list[str]
) -> None:
    three_ads(app)
    found = search_clips(store(way, app, tmp_path), question, ToyEmbedder())
    assert ids(found.hits) == hits
    assert found.by_meaning == bool(question.text)


def test_an_ad_that_is_made_anew_leaves_nothing_of_its_old_self(
    app: App, way: str, tmp_path: Path, moment: AppClock
) -> None:
    three_ads(app)
    opened = store(way, app, tmp_path)
    moment.pass_seconds(60)
    keep(app, ad_of("a", "a man closes the door"), run=2)
    again = store(way, app, tmp_path)
    del opened
    assert ids(search_clips(again, ClipQuestion(text="box today"), None).hits) == []
    assert ids(search_clips(again, ClipQuestion(text="door"), None).hits) == ["a-0000"]
    assert again.clips(["a-0000", "a-0001"]).keys() == {"a-0000"}


def test_clips_belong_to_their_tenant(app: App, way: str, tmp_path: Path) -> None:
    three_ads(app)
    other = store(way, app.for_tenant(f"t{uuid4().hex}"), tmp_path / "other")
    assert search_clips(other, ClipQuestion(text="box"), ToyEmbedder()).hits == ()


def test_a_refresh_takes_in_each_change_once(app: App, tmp_path: Path, moment: AppClock) -> None:
    """Also an ad that becomes visible later than its stamp says."""
    index = ClipIndex(tmp_path / "index")
    three_ads(app)
    assert refresh_index(index, app) == 3
    assert refresh_index(index, app) == 0
    moment.pass_seconds(3600)
    keep(app, ad_of("d", "late"))
    assert refresh_index(index, app) == 1
    moment.moment -= timedelta(seconds=600)
    keep(app, ad_of("e", "later yet stamped earlier"))
    assert refresh_index(index, app) == 1
    app.documents.commit([Merge("ads", "e", {}, {"impressions": 5})])
    assert (refresh_index(index, app), index.size) == (0, 9)


def test_past_ads_that_won_come_first(app: App, moment: AppClock) -> None:
    """Alike in words; one had many conversions, one few, one is old, one unlike, one unknown."""
    text = "woman opens box"
    for name in ("won", "lost", "unknown", "itself"):
        keep(app, whole(ad_of(name, text), text))
    keep(app, whole(ad_of("other", text), "dog runs far"))
    results = {"impressions": 100_000, "clicks": 2_000}
    app.documents.commit(
        [
            Merge("ads", "won", {**results, "conversions": 200}),
            Merge("ads", "lost", {**results, "conversions": 20}),
        ]
    )
    keep(app, whole(ad_of("won", text), text), run=2)  # made anew: its results stay
    vector = list(map(float, ToyEmbedder().embed([text])[0]))
    found = similar_ads(vector, app, but="itself", limit=4)
    assert [one.ad.video_id for one in found] == ["won", "unknown", "lost", "other"]
    assert found[0].reason == "200 conversions of 2000 clicks"
    assert found[0].similarity == pytest.approx(1, abs=1e-5)
    assert found[1].lift is None
    moment.pass_seconds(90 * 86_400)
    older = similar_ads(vector, app, limit=1)[0]
    assert older.weight == pytest.approx(found[0].weight / 2, rel=0.01)


def test_a_cut_answer_says_so(app: App) -> None:
    """In documents a filter is looked at after the nearest and weightiest were fetched."""
    keep(app, ad_of("v", *["same word"] * 320))
    found = search_clips(DocumentClips(app.documents), ClipQuestion(text="same"), None)
    assert len(found.hits) == 10
    assert "'same' is in more clips than the 300 looked at" in found.notes
