"""Fits the weights of tempo.py and beats.py on drawn music: `python -m scripts.rhythm.fit`.

About four minutes on one core; prints the weights and how well unseen pieces are measured.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scripts.rhythm.music import GENRES, Genre, Piece, Random, draw, draw_piece
from shared.domain.video import beats, rhythm, tempo
from shared.domain.video.samples import SPEECH_RATE
from shared.domain.video.tempo import CURVE_RATE, TEMPOS, Curve

SEEDS, MIXTURES = range(5), 900
LENGTHS_SECONDS = (8.0, 12.0, 16.0)
NEAR_TEMPO, NEAR_PHASE = 0.025, 0.05
PHASES = 48
# How strongly the weights are drawn to 0: less for many examples of many tempos.
TEMPO_SHRINK, BEAT_SHRINK = 0.01, 0.1
STEPS, STEP_SIZE = 250, 0.05
ROWS = ("kick", "snare", "hat", "bass", "chord", "melody")

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Choice:
    """One question with many answers: (features, answers), and which answers are right."""

    features: Curve
    right: Right


def training_pieces() -> Iterator[Piece]:
    """The seen genres, and mixtures of them with changed rows and tempos."""
    for name in GENRES:
        for seed in SEEDS:
            yield draw_piece(name, seed, seconds=LENGTHS_SECONDS[seed % 3])
    random = np.random.default_rng(7)
    for number in range(MIXTURES):
        genre = mix_genres(random)
        if any(getattr(genre, row) for row in ROWS):
            seconds = LENGTHS_SECONDS[number % 3]
            yield draw(genre, np.random.default_rng([number, 1]), seconds=seconds)


def mix_genres(random: Random) -> Genre:
    """One genre with rows of others that divide the beat alike, some left out, some changed."""
    genres = list(GENRES.values())
    first = genres[random.integers(len(genres))]
    alike = [genre for genre in genres if genre.steps == first.steps]
    rows = {}
    for name in ROWS:
        source = first if random.random() < 0.5 else alike[random.integers(len(alike))]
        row = getattr(source, name)
        if name in ROWS[:3] and not first.kick and random.random() < 0.3:
            row = ""
        if row and random.random() < 0.4:
            bar = row * max(1, 4 * first.steps // len(row))
            changed = random.choice(list("xo."), len(bar))
            row = "".join(np.where(random.random(len(bar)) < 0.08, changed, list(bar)))
        rows[name] = row
    slow, fast = first.tempos
    return replace(first, tempos=(int(0.9 * slow), min(185, int(1.1 * fast))), **rows)


def curves_of(piece: Piece) -> Curve:
    """What the tempo is found in."""
    meter = rhythm.OnsetMeter()
    for first in range(0, len(piece.sound), SPEECH_RATE):
        meter.hear(piece.sound[first : first + SPEECH_RATE])
    return np.stack([rhythm.against_usual(r) for r in meter.rises()])


def tempo_choice(piece: Piece, curves: Curve) -> Choice:
    """Which of the tempos is that of the piece?"""
    right = np.abs(TEMPOS / piece.tempo_bpm - 1) < NEAR_TEMPO
    return Choice(tempo.tempo_features(curves), right)


def beat_choice(piece: Piece, curves: Curve) -> Choice:
    """At which phase of its known period does the piece have its beats?"""
    period = 60 * CURVE_RATE / piece.tempo_bpm
    first = piece.beats_seconds[0] * CURVE_RATE - rhythm.EARLY_FRAMES
    phases = np.arange(PHASES) / PHASES
    apart = np.abs((phases - first / period + 0.5) % 1 - 0.5)
    rows = []
    for curve in curves:
        folded = fold(curve, period)
        rows += [np.roll(folded, -round(offset * PHASES)) for offset in beats.OFFSETS]
    return Choice(np.array(rows), apart < NEAR_PHASE)


def fold(curve: Curve, period: float) -> Curve:
    """The mean of all periods of a softened curve, at PHASES moments."""
    reach = np.exp(-0.5 * (np.arange(-6, 7) * 16 / period) ** 2)
    soft = np.convolve(curve, reach / reach.sum(), "same")
    whole = np.arange(int(len(curve) / period) - 1)[:, None] * period
    at = whole + np.arange(PHASES) / PHASES * period
    return np.asarray(np.interp(at, np.arange(len(soft)), soft).mean(axis=0))


def fit(choices: list[Choice], shrink: float) -> Curve:
    """The weights of a conditional logit (McFadden 1974), found by Adam (Kingma and Ba 2015)."""
    features = np.stack([choice.features for choice in choices])
    right = np.stack([choice.right for choice in choices])
    scale = features.std(axis=(0, 2)) + 1e-9
    features = features / scale[:, None]
    weights, mean, square = (np.zeros(features.shape[1]) for _ in range(3))
    for step in range(1, STEPS + 1):
        score = np.einsum("f,nfa->na", weights, features)
        likely = np.exp(score - score.max(axis=1, keepdims=True))
        wanted = likely * right
        wanted /= wanted.sum(axis=1, keepdims=True) + 1e-30
        likely /= likely.sum(axis=1, keepdims=True)
        slope = np.einsum("na,nfa->f", likely - wanted, features) / len(choices)
        slope += shrink * weights
        mean = 0.9 * mean + 0.1 * slope
        square = 0.999 * square + 0.001 * slope * slope
        move = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        weights = weights - STEP_SIZE * move
    return np.asarray(weights / scale)


def told(name: str, rows: Curve) -> str:
    """Weights as they stand in the modules."""
    return f"{name} =\n" + "\n".join(f"    ({', '.join(f'{w:.2f}' for w in row)})," for row in rows)


def main() -> None:
    """Fit both, and print."""
    pieces = [piece for piece in training_pieces() if len(piece.beats_seconds) > 3]
    curves = [curves_of(piece) for piece in pieces]
    found = fit([*map(tempo_choice, pieces, curves)], TEMPO_SHRINK)
    phases = fit([*map(beat_choice, pieces, curves)], BEAT_SHRINK)
    beat_columns, columns = len(tempo.BEATS), len(tempo.BEATS) + len(tempo.HARMONICS)
    rows = found[: 3 * columns].reshape(3, columns)
    say: Callable[[str], int] = sys.stdout.write
    say(told("tempo.REPEAT_WEIGHTS", rows[:, :beat_columns]) + "\n")
    say(told("tempo.SPECTRUM_WEIGHTS", rows[:, beat_columns:]) + "\n")
    say(told("tempo.USUAL_WEIGHTS", found[3 * columns :].reshape(1, 2)) + "\n")
    say(told("beats.WEIGHTS", phases.reshape(3, -1)) + "\n")


if __name__ == "__main__":
    main()
