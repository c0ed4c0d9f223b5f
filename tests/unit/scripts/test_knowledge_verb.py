"""`gv knowledge winners` as a user calls it, on the store of a laptop."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.cli.__main__ import gv
from shared import bootstrap
from shared.clip_models import AdRecord
from shared.clips import keep_clips
from shared.config import read_settings
from shared.ports import Merge
from tests.support.clips import NOON, ad_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a user stands."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def index(video_id: str, hook_type: str, score: float) -> None:
    """Put an ad into the store as the stage does."""
    app = bootstrap.build_app(read_settings())
    ads = ad_of(video_id, "buy it")
    record = AdRecord(video_id=video_id, made_at=NOON, clips=1, hook_type=hook_type, score=score)
    keep_clips(ads, record, f"clips/{video_id}/1.json", app)


def call(*words: str) -> Result:
    return CliRunner().invoke(gv, ["knowledge", "winners", *words])


def test_without_ads_the_way_to_some_is_told(home: Path) -> None:
    assert "No ad is known yet" in call().output


def test_without_results_scores_order_and_prove_nothing(home: Path) -> None:
    index("a", "question", 0.4)
    index("b", "pov", 0.6)
    lines = call().output.splitlines()
    assert lines[0] == "pov: 1 ads, score 0.60; no results known"
    assert lines[1].startswith("question: 1 ads")
    assert "prove nothing" in lines[2]


def test_results_that_somebody_reported_come_first(home: Path) -> None:
    index("a", "question", 0.4)
    index("b", "pov", 0.6)
    results = {"impressions": 10_000, "clicks": 150}
    bootstrap.build_app(read_settings()).documents.commit([Merge("ads", "a", results)])
    assert call().output.splitlines()[0] == (
        "question: 1 ads, score 0.40; CTR 1.50% of 1 ads, 1.00 x the usual"
    )
    hooks = json.loads(call("--json").output)["hooks"]
    assert [one["hook_type"] for one in hooks] == ["question", "pov"]
