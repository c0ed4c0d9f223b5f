"""From a folder of material to the shipped models and their samples, and to the figures on both."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from scripts.train import headlines, pressure
from scripts.train.ctr import ctr_figures, train_on_archive
from scripts.train.figures import Figure, reliability
from scripts.train.hooks import hook_figures
from scripts.train.sources import (
    HEADLINE_WEIGHT,
    SAMPLES,
    ShopText,
    read_ad_lines,
    read_arms,
    read_hook_labels,
    read_pairs,
    read_shop_texts,
    write_rows,
)
from scripts.train.store import write_model
from shared.domain.scoring.pressure import LABELS
from shared.domain.scoring.weights import MODELS

VERSION = 1
SHOP_TEXTS = Path("text_urgency_scarcity") / "darkpattern_dev.tsv"
ARCHIVE = Path("table_headline_tests") / "upworthy_dev.parquet"
HOOK_LABELS = Path("text_hook_types") / "headlines_dev.json"
SHOP_SAMPLE = SAMPLES / "shop_texts.tsv"
PAIR_SAMPLE = SAMPLES / "headline_pairs.tsv"
PLAIN_SAMPLE = SAMPLES / "plain_headlines.tsv"
HOOK_SAMPLE = SAMPLES / "hook_types.json"
# Headlines of news stories press nobody: they teach what plain texts of another kind look like.
PLAIN_TAUGHT, PLAIN_HELD = 1000, 300
HOLD_EVERY = 4


def train_pressure(data: Path, models: Path = MODELS, samples: Path = SAMPLES) -> Path:
    """Trains on four fifths of the shop texts and keeps the rest as the sample."""
    texts = read_shop_texts(data / SHOP_TEXTS)
    folds = pressure.split_folds(texts)
    held = [text for text, fold in zip(texts, folds, strict=True) if fold == pressure.SAMPLE_FOLD]
    kept = [text for text, fold in zip(texts, folds, strict=True) if fold != pressure.SAMPLE_FOLD]
    plain, plain_held = plain_headlines(data)
    weights, bias = pressure.fit_pressure([*kept, *taught_ad_lines(), *plain])
    names = {frozenset([label]): name for name, label in categories()}
    write_rows(
        samples / SHOP_SAMPLE.name,
        ("text", "Pattern Category"),
        [{"text": t.text, "Pattern Category": names.get(t.labels, plain_name(t))} for t in held],
    )
    write_rows(
        samples / PLAIN_SAMPLE.name,
        ("labels", "text"),
        [{"labels": "", "text": t.text} for t in plain_held],
    )
    return write_model(models, "pressure", VERSION, {"weights": weights, "bias": bias})


def train_headlines(data: Path, models: Path = MODELS, samples: Path = SAMPLES) -> Path:
    """Trains on the sound tests but a fifth of the stories, whose clear pairs are the sample."""
    trials = sound_trials(data)
    described = headlines.describe(trials.headlines)
    gaps, folds = headlines.cross_validate(trials, described)
    held = np.isin(folds, headlines.SAMPLE_FOLDS)
    fitted = headlines.fit_headlines(trials, described, ~held)
    pair_slope, lift_slope = headlines.calibrate(trials, gaps)
    margins = headlines.margins_of(fitted, described)
    write_rows(
        samples / PAIR_SAMPLE.name,
        ("test", "winner", "loser"),
        [_pair_row(trials, place) for place in np.flatnonzero(trials.clear & held).tolist()],
    )
    arrays = {
        "weights": fitted.weights,
        "shape_weights": fitted.shape_weights,
        "shape_means": fitted.shape_means,
        "quantiles": np.quantile(margins, np.linspace(0, 1, headlines.QUANTILES)),
        "pair_slope": np.array([pair_slope]),
        "lift_slope": np.array([lift_slope]),
    }
    return write_model(models, "headlines", VERSION, arrays)


def sample_figures() -> Iterator[Figure]:
    """The shipped models on the samples, which they have not seen."""
    shop = read_shop_texts(SHOP_SAMPLE)
    on = f"{len(shop)} held-out shop texts"
    yield from pressure.pressure_figures(shop, pressure.judge_all(shop), on)
    lines = held_ad_lines()
    on = f"{len(lines)} held-out ad lines of ours"
    # The goals were set for shop texts; our own few lines are harder and no public yardstick.
    found = pressure.pressure_figures(lines, pressure.judge_all(lines), on)
    yield from (replace(figure, goal=None, baseline=None) for figure in found)
    plain = read_ad_lines(PLAIN_SAMPLE)
    on = f"{len(plain)} held-out news headlines"
    yield pressure.pressure_figures(plain, pressure.judge_all(plain), on)[-1]
    pairs = read_pairs(PAIR_SAMPLE)
    yield from headlines.pair_figures(
        headlines.judge_pairs(pairs), f"{len(pairs)} pairs of held-out tests"
    )
    labelled = read_hook_labels(HOOK_SAMPLE)
    yield from hook_figures(labelled, f"{len(labelled)} labelled headlines")


def cross_figures(data: Path) -> Iterator[Figure]:
    """Cross-validated figures on all of the material: each text is judged by a model without it."""
    texts = read_shop_texts(data / SHOP_TEXTS)
    plain, _ = plain_headlines(data)
    on = f"{len(texts)} shop texts, {pressure.FOLDS} folds by template"
    chances = pressure.cross_validate(texts, [*taught_ad_lines(), *plain])
    yield from pressure.pressure_figures(texts, chances, on)
    trials = sound_trials(data)
    gaps, folds = headlines.cross_validate(trials, headlines.describe(trials.headlines))
    chosen = headlines.cross_probabilities(trials, gaps, folds)
    on = f"{len(chosen)} clear pairs, {headlines.FOLDS} folds by story"
    yield from headlines.pair_figures(chosen, on)
    arms = headlines.sound_arms(*read_arms(data / ARCHIVE))
    yield from ctr_figures(train_on_archive(arms))
    longer = [len(trials.headlines[a]) > len(trials.headlines[b]) for a, b in winners_first(trials)]
    yield Figure("headline pairs, longer wins", float(np.mean(longer)), measured_on=on)


def reliability_rows(data: Path) -> list[tuple[float, float, int]]:
    """The reliability of cross-validated pair probabilities: said, happened, how many."""
    trials = sound_trials(data)
    gaps, folds = headlines.cross_validate(trials, headlines.describe(trials.headlines))
    return reliability(*headlines.as_statements(headlines.cross_probabilities(trials, gaps, folds)))


def sound_trials(data: Path) -> headlines.Trials:
    """The pairs of the archive but those of weeks with broken randomisation."""
    return headlines.make_trials(headlines.sound_arms(*read_arms(data / ARCHIVE)))


def winners_first(trials: headlines.Trials) -> list[tuple[int, int]]:
    """The clear pairs as places of headlines, the winner first."""
    places = np.flatnonzero(trials.clear)
    pairs = [trials.pairs[p] if trials.z[p] > 0 else trials.pairs[p][::-1] for p in places]
    return [(int(a), int(b)) for a, b in pairs]


def plain_headlines(data: Path) -> tuple[list[ShopText], list[ShopText]]:
    """Headlines that teach and headlines held out, drawn without a look at them."""
    arms, _ = read_arms(data / ARCHIVE)
    names = sorted({arm.headline for arm in arms})
    drawn = np.random.default_rng(0).permutation(len(names))[: PLAIN_TAUGHT + PLAIN_HELD]
    texts = [ShopText(names[place], frozenset(), True, HEADLINE_WEIGHT) for place in drawn]
    return texts[:PLAIN_TAUGHT], texts[PLAIN_TAUGHT:]


def taught_ad_lines() -> list[ShopText]:
    """Three of four of our ad lines."""
    return [line for place, line in enumerate(read_ad_lines()) if place % HOLD_EVERY]


def held_ad_lines() -> list[ShopText]:
    """The ad lines that no model has seen."""
    return read_ad_lines()[::HOLD_EVERY]


def categories() -> list[tuple[str, str]]:
    """The source's name of each label."""
    return [(label.replace("_", " ").title(), label) for label in LABELS]


def plain_name(text: ShopText) -> str:
    """The source's name for a text without any of the labels."""
    return "Not Dark Pattern" if text.plain else "Other"


def _pair_row(trials: headlines.Trials, place: int) -> dict[str, str]:
    first, second = (trials.headlines[int(p)] for p in trials.pairs[place])
    winner, loser = (first, second) if trials.z[place] > 0 else (second, first)
    return {"test": trials.test[place], "winner": winner, "loser": loser}
