"""`gv judge`: a verdict without any key, and the reason when there is none."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from scripts.cli.__main__ import gv
from tests.support.videos import make_video


def judge(folder: Path, *words: str) -> Result:
    """The verb as a user in that folder calls it."""
    return CliRunner().invoke(gv, ["--from", str(folder), "judge", *words])


def test_without_keys_the_heuristic_judge_gives_a_verdict(tmp_path: Path) -> None:
    make_video(tmp_path / "ad.mp4")
    done = judge(tmp_path, "ad.mp4", "--json")
    assert done.exit_code == 0, done.output
    verdict = json.loads(done.output)
    assert verdict["heuristic_only"] is True
    assert 0 <= verdict["overall"] <= 100
    assert verdict["cost_micro_usd"] == 0
    assert verdict["testimonies"][0]["lacked"]


def test_people_read_scores_reasons_and_who_was_heard(tmp_path: Path) -> None:
    done = judge(tmp_path, str(make_video(tmp_path / "ad.mp4")))
    assert done.exit_code == 0, done.output
    for word in ("ad.mp4", "of 100", "hook", "cannot tell", "heuristic", "lacked", "$0.0000"):
        assert word in done.output


def test_what_is_no_video_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "junk.mp4").write_bytes(b"junk")
    done = judge(tmp_path, "junk.mp4", "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["error"]["code"]
