"""`gv models`: the figures it prints, and training that gives the same bytes twice."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from scripts.cli.models import models
from scripts.train.cards import BEGIN, END, reliability_table, write_figures
from scripts.train.figures import Figure, calibration_error, f1_score, reliability
from scripts.train.fitting import fit_slope, folds_of
from scripts.train.recipes import held_ad_lines, taught_ad_lines
from scripts.train.sources import read_shop_texts
from scripts.train.store import write_model
from shared import trained_models
from shared.domain.scoring import weights
from shared.errors import ConfigError
from tests.support.apps import local_app
from tests.support.trained import headline_model


def test_evaluate_prints_every_figure_beside_its_goal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.cli.models_text.MATERIAL", tmp_path / "none")
    printed = CliRunner().invoke(models, ["evaluate", "--json"], catch_exceptions=False).output
    figures = json.loads(printed)["figures"]
    assert [f["name"] for f in figures if f["met"] is False] == []
    names = {figure["name"] for figure in figures}
    assert {"F1 urgency", "F1 hook command", "headline pairs told right"} <= names
    assert all(figure["measured_on"] for figure in figures)


def test_material_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data names the folder"):
        read_shop_texts(tmp_path / "texts.tsv")


def test_a_written_model_is_read_back_and_the_same_arrays_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = {"weights": np.linspace(-1, 1, 64).reshape(2, 32), "bias": np.array([0.5, -0.5])}
    first = write_model(tmp_path, "small", 3, arrays).read_bytes()
    assert write_model(tmp_path, "small", 3, arrays).read_bytes() == first
    monkeypatch.setattr(weights, "MODELS", tmp_path)
    read = weights.load_weights("small")
    assert read.version == "small-3"
    assert read.arrays["weights"] == pytest.approx(arrays["weights"], abs=1e-3)


def test_every_shipped_model_is_small_and_has_its_card() -> None:
    files = [*weights.MODELS.glob("*.npz")]
    assert {file.stem for file in files} == {"pressure-1", "headlines-1"}
    for file in files:
        assert file.stat().st_size < 1_000_000
        card = file.with_name(file.stem.split("-")[0] + ".md").read_text()
        assert f"# Model card: {file.stem}" in card
        assert "Limits" in card
        assert "| figure |" in card


def test_no_ad_line_is_both_taught_and_held_out() -> None:
    assert not {t.text for t in taught_ad_lines()} & {t.text for t in held_ad_lines()}
    assert held_ad_lines()


def test_a_figure_knows_whether_its_goal_is_met() -> None:
    assert Figure("f1", 0.8996, 0.9).met
    assert not Figure("f1", 0.8994, 0.9).met
    assert Figure("alarms", 0.06, 0.06, lower_is_better=True).met
    assert Figure("f1", 0.5).met is None


def test_f1_and_calibration_are_those_of_the_textbook() -> None:
    said, true = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert f1_score(said, true) == 0.5
    assert f1_score(~said & False, true) == 0.0
    chances = np.repeat([0.2, 0.8], 50)
    happened = np.concatenate([np.arange(50) < 10, np.arange(50) < 40])
    assert calibration_error(chances, happened, 2) == pytest.approx(0.0)
    assert calibration_error(chances, ~happened, 2) == pytest.approx(0.6)
    assert [round(share, 2) for _, share, _ in reliability(chances, happened, 2)] == [0.2, 0.8]


def test_the_slope_of_a_calibration_is_found_again() -> None:
    random = np.random.default_rng(3)
    gaps = random.normal(size=20_000)
    won = random.random(20_000) < 1 / (1 + np.exp(-1.7 * gaps))
    assert fit_slope(np.where(won, gaps, -gaps)) == pytest.approx(1.7, abs=0.05)


def test_folds_never_split_a_group() -> None:
    groups = [i // 3 for i in range(90)]
    folds = folds_of(groups, 5, 0)
    assert all(len({folds[i] for i in range(90) if groups[i] == g}) == 1 for g in set(groups))
    assert {*folds.tolist()} == {0, 1, 2, 3, 4}


def test_a_card_gets_its_figures_between_the_marks(tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text(f"# Card\n\n{BEGIN}\nold\n{END}\n\nrest\n")
    write_figures(card, reliability_table([(0.1, 0.2, 3)]))
    assert card.read_text().endswith(f"| 0.100 | 0.200 | 3 |\n\n{END}\n\nrest\n")
    assert "old" not in card.read_text()


def test_the_list_shows_the_models_of_ones_own_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained_models._loaded.clear()

    def listed() -> str:
        return CliRunner().invoke(models, ["list"], catch_exceptions=False).output

    assert "ctr  (none trained; the cold start predicts)" in listed()
    app = local_app(tmp_path / ".local")
    record = trained_models.install_model(headline_model(), app, instead_of="")
    assert "ctr  (in use, of your own results)\n  headlines-1: learned from" in listed()
    trained_models._loaded.clear()
    app.files.delete(record.path)
    assert "ctr  (cannot be used: " in listed()
    assert "models/ctr/headlines-1.zip" in listed()
