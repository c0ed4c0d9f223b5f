"""The council's settings: a list of judges, weights, caps; each wrong one named."""

from pathlib import Path

import pytest

from shared.errors import ConfigError
from tests.support.apps import local_app, local_settings


def test_no_setting_asks_nobody(tmp_path: Path) -> None:
    app = local_app(tmp_path)
    assert list(app.judges) == []
    assert list(app.annotators) == []


def test_every_judge_of_the_list_sits_in_its_order(tmp_path: Path) -> None:
    council = "gemini://g-1, claude://c-1,openai://o-1,video-intelligence://google,heuristic://"
    app = local_app(tmp_path, council=council)
    assert [judge.name for judge in app.judges] == ["gemini://g-1", "claude://c-1", "openai://o-1"]
    assert [one.name for one in app.annotators] == ["video-intelligence://google"]


@pytest.mark.parametrize("council", ["", "grok://x", "gemini:g-1", "gemini", "claude://c-1,,"])
def test_a_judge_that_nobody_knows_is_named_with_those_there_are(
    council: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"GEMINIVIDEO_COUNCIL=.*gemini://"):
        list(local_app(tmp_path, council=council).judges)


def test_a_judge_has_one_seat(tmp_path: Path) -> None:
    council = "claude://c-1,claude://c-1?secret=other"
    with pytest.raises(ConfigError, match="named twice"):
        list(local_app(tmp_path, council=council).judges)


def test_weights_and_caps_reach_the_domain_in_its_units(tmp_path: Path) -> None:
    rules = local_settings(
        tmp_path,
        council_weights="gemini=1.5, claude://c-1=0",
        council_video_cap_usd="0.1",
        council_day_cap_usd="2",
    ).council_rules
    assert rules.weights == {"gemini": 1.5, "claude://c-1": 0.0}
    assert (rules.video_cap_micro_usd, rules.day_cap_micro_usd) == (100_000, 2_000_000)


@pytest.mark.parametrize("weights", ["gemini", "=1", "gemini=-1", "gemini=nan", "gemini=1e9"])
def test_weights_that_are_none_are_named(weights: str, tmp_path: Path) -> None:
    settings = local_settings(tmp_path, council_weights=weights)
    with pytest.raises(ConfigError, match="COUNCIL_WEIGHTS"):
        _ = settings.council_rules


def test_a_copywriter_is_a_language_model_or_nobody(tmp_path: Path) -> None:
    assert local_app(tmp_path).copywriter is None
    named = local_app(tmp_path, copywriter="gemini://g-1").copywriter
    assert named is not None
    assert named.name == "gemini://g-1"
    for wrong in ("video-intelligence://google", "gpt"):
        with pytest.raises(ConfigError, match=r"GEMINIVIDEO_COPYWRITER=.*gemini://, claude://"):
            assert local_app(tmp_path, copywriter=wrong).copywriter
