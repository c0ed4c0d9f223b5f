"""`gv search` as a user calls it, on the store of a laptop."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.cli.__main__ import gv
from shared import bootstrap
from shared.clip_models import AdRecord
from shared.clips import keep_clips
from shared.config import read_settings
from tests.support.clips import NOON, ad_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a .local in which one ad is indexed."""
    monkeypatch.chdir(tmp_path)
    app = bootstrap.build_app(read_settings())
    ads = ad_of("v", "a woman opens the box", "buy it", name="ad.mp4", score=0.5)
    app.files.write("clips/v/1.json", ads.model_dump_json().encode())
    record = AdRecord(video_id="v", name="ad.mp4", made_at=NOON, clips=2)
    keep_clips(ads, record, "clips/v/1.json", app)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(gv, ["search", *words])


def test_a_clip_is_shown_with_its_ad_its_time_and_why(home: Path) -> None:
    shown = call("woman opens box")
    assert shown.exception is None, repr(shown.exception)
    assert shown.exit_code == 0, shown.output
    assert "1. ad.mp4 0:00.0-0:02.0, shot 1, score 0.50" in shown.output
    assert 'why: "woman" said, "opens" said, "box" said' in shown.output
    assert "searched by words only" in shown.output


def test_json_is_one_object(home: Path) -> None:
    answer = json.loads(call("box", "--json").output)
    (hit,) = answer["hits"]
    assert hit["clip"]["clip_id"] == "v-0000"
    assert hit["why"] == '"box" said'
    assert answer["searched"] == 2
    assert answer["by_meaning"] is False


def test_filters_and_limits(home: Path) -> None:
    listed = json.loads(call("--json", "--limit", "1", "--filter", "min_score=0.5").output)
    assert [hit["clip"]["clip_id"] for hit in listed["hits"]] == ["v-0000"]
    none = call("box", "--filter", "languages=de,fr", "--filter", "has_face=true")
    assert "Nothing found among 2 clips" in none.output


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["x", "--filter", "colour=red"], "min_score"),
        (["x", "--filter", "min_score=much"], "min_score 'much'"),
        (["x", "--filter", "min_score=2"], "min_score"),
        (["x", "--limit", "0"], "limit"),
        (["x" * 2000], "text"),
    ],
)
def test_what_cannot_be_asked_is_named(home: Path, words: list[str], reason: str) -> None:
    refused = call(*words)
    assert refused.exit_code == 2
    assert reason in refused.output
