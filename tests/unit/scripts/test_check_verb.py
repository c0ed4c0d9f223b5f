"""`gv check`: a list for people, an object for machines, status 1 when an ad fails."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scripts.cli.__main__ import gv
from scripts.cli.check import printable
from shared.compliance_models import Compliance
from tests.support.videos import make_video


def check(folder: Path, *words: str) -> Result:
    """The verb as a user in that folder calls it."""
    return CliRunner().invoke(gv, ["--from", str(folder), "check", *words])


@pytest.fixture(scope="module")
def ad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny landscape clip with clicks."""
    return make_video(tmp_path_factory.mktemp("ads") / "ad.mp4")


def test_one_placement_is_one_record(ad: Path) -> None:
    """With its findings, worst first, and status 1 because it fails."""
    done = check(ad.parent, "ad.mp4", "--platform", "meta:reels", "--json")
    assert done.exit_code == 1
    compliance = Compliance.model_validate_json(done.output)
    assert compliance.verdict == "fail"
    assert compliance.findings[0].grade == "fail"
    assert {one.rule for one in compliance.findings if one.grade == "fail"} >= {"ratio", "size"}


def test_several_placements_share_one_object(ad: Path) -> None:
    """The worst verdict first, then a record each."""
    done = check(ad.parent, "ad.mp4", "--platform", "meta", "--platform", "x:feed", "--json")
    told = json.loads(done.output)
    assert told["verdict"] == "fail"
    placements = [one["placement"] for one in told["checks"]]
    assert placements == ["meta:feed", "meta:reels", "meta:stories", "x:feed"]


def test_people_read_what_is_wrong_and_what_to_do(ad: Path) -> None:
    """Name of the placement, the rule in words, the fix, the source with its date."""
    done = check(ad.parent, "ad.mp4", "--platform", "meta:reels")
    assert done.exit_code == 1
    plain = " ".join(done.output.split())
    for words in ("Facebook and Instagram Reels", "✗ Shape", "160x90 (16:9)", "→ Render it", "[1]"):
        assert words in plain
    assert "2026-11-21" in plain
    assert plain.index("✗ Shape") < plain.index("✓ in order")


def test_words_given_with_the_call_are_judged(ad: Path) -> None:
    """Texts beside the video, and what is said, each where it is."""
    (ad.parent / "ad.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nit cures cancer\n")
    done = check(
        *(ad.parent, "ad.mp4", "--platform", "tiktok:feed", "--json", "--language", "en"),
        *("--transcript", "ad.srt", "--text", "headline=Guaranteed income"),
    )
    found = Compliance.model_validate_json(done.output).findings
    bad = {one.rule: one for one in found if one.grade == "fail"}
    assert "headline" in bad["claims_in_texts"].found
    assert bad["claims_spoken"].at_seconds == pytest.approx(1.1, abs=0.3)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ad.mp4", "--platform", "myspace"), "placement_unknown"),
        (("nothing.mp4", "--platform", "x"), "file_missing"),
        (("bad.mp4", "--platform", "x"), "not_video"),
    ],
)
def test_what_cannot_be_checked_is_told_in_one_line(
    ad: Path, words: tuple[str, ...], code: str
) -> None:
    """A code for machines and the way out, status 1, no traceback."""
    (ad.parent / "bad.mp4").write_text("this is text")
    done = check(ad.parent, *words, "--json")
    assert done.exit_code == 1
    assert json.loads(done.output)["error"]["code"] == code


def test_a_hostile_name_is_text(ad: Path) -> None:
    """Markup and control characters do nothing to a terminal."""
    name = "[red]x\x1b[31m\u202e.mp4"
    ad.with_name(name).write_bytes(ad.read_bytes())
    done = check(ad.parent, name, "--platform", "x:feed")
    assert "[red]x?[31m?.mp4" in done.output
    assert "\x1b" not in done.output
    assert printable("a\nb\x07") == "a?b?"


def test_the_rules_can_be_read_without_a_video(tmp_path: Path) -> None:
    """`--rules` prints the page; without either the usage is told."""
    assert check(tmp_path, "--rules").output.startswith("# Compliance")
    assert check(tmp_path).exit_code == 2
