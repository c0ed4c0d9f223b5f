"""Draws pieces of music in many genres whose tempo, beats and onsets are known exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.samples import SPEECH_RATE

Sound = NDArray[np.float32]
Wave = NDArray[np.float64]
Random = np.random.Generator

SCALE = (0, 2, 3, 5, 7, 8, 10, 12)
ROOTS = (0, 5, 7, 3, 8, 10)


@dataclass(frozen=True)
class Genre:
    """Rows of a bar, x loud, o soft, in `steps` a beat, and the tempos that are usual."""

    steps: int
    tempos: tuple[int, int]
    kick: str = ""
    snare: str = ""
    hat: str = ""
    bass: str = ""
    chord: str = ""
    melody: str = ""
    swing: float = 0.0


GENRES = {
    "house": Genre(
        4, (110, 135), "x...", "....x...", "..x.", "..x...x...x.x...", "x.......x......."
    ),
    "rock": Genre(4, (85, 180), "x.......x.x.....", "....x...", "x.x.", "x.x.x.x.", "x" + "." * 15),
    "half time": Genre(
        4, (70, 100), "x.......", "....x...", "xoxoxoxxxoxoxoxo", "x.....x...", "x" + "." * 15
    ),
    "breakbeat": Genre(
        4, (90, 175), "x.x.......x.....", "....x..o.o..x..o", "x.x.", "x.....x...x.....", ""
    ),
    "swing": Genre(
        3, (100, 180), "", "...o.....o..", "x..x.x", "x..", "..x...........x.", "x.xx..x.o"
    ),
    "shuffle": Genre(3, (80, 140), "x.....", "...x..", "x.x", "x.x", "x...........", ""),
    "waltz": Genre(2, (80, 180), "x.....", "..o.o.", "", "x.....", "..x.x.", "x..xx.x...x."),
    "six eight": Genre(3, (60, 110), "x.....", "...x..", "xoo", "x....x", "x.....", "x.xx.xx....."),
    "reggaeton": Genre(4, (85, 110), "x...", "...x..x.", "x.x.", "x..x..x.", "x" + "." * 15),
    "funk": Genre(
        4,
        (90, 120),
        "x..x..x...x..x..",
        "....x..o.o..x...",
        "xoxo",
        "x.x..x..x.x...x.",
        "......x......x..",
    ),
    "march": Genre(2, (90, 140), "x...", "..x.", "", "x.x.", ".x", "x.xxx.x.x.x.x..."),
    "reggae": Genre(2, (65, 95), "....x...", "....x...", "xx", "x..x.xx.", "..x.", ""),
    "arpeggio": Genre(4, (70, 160), melody="xooo", chord="x" + "." * 15),
    "syncopated": Genre(4, (80, 150), bass="x.....x...x.....", melody="x..x..x.x..x..x."),
    "ballad": Genre(2, (60, 90), chord="x.......", melody="x...x.x.x.....x.", bass="x..."),
    "line": Genre(2, (70, 140), melody="x.xxx...x.x.xxx."),
}
# Not fitted on, but looked at when the ways of fitting were compared.
HELD_OUT = {
    "disco": Genre(4, (105, 130), "x...", "....x...", "xox.", "x.x.x.x.", "..x...x...x..x..", ""),
    "bossa": Genre(4, (65, 90), "x.xx", "x..x..x...x..x..", "xxxx", "x..xx..x", "..x..x....x..x.."),
    "drum and bass": Genre(
        4,
        (160, 180),
        "x.........x.....",
        "....x.......x...",
        "x.xo",
        "x.....x...x.....",
        "x" + "." * 31,
    ),
    "polka": Genre(2, (100, 130), "x.", ".x", "", "x...", ".x", "xxx.xxx.xxxxx..."),
    "slow blues": Genre(
        3, (60, 80), "x.....", "...x..", "xxx", "x..", "x...........", "..x..xx.x..."
    ),
    "strings": Genre(1, (80, 130), chord="x...", melody="xx.xx.x.", bass="x.x."),
    "picking": Genre(4, (75, 120), bass="x.......x.......", melody="x.ooxoo.o.xo.oxo"),
    "clave": Genre(
        4, (85, 115), "x.....x.", "x..x..x...x.x...", "x.xo", "...x..x.", "", "x.x..x.x.x.."
    ),
}


@dataclass(frozen=True)
class Piece:
    """Sound at 16 kHz with its truth; `onsets_seconds` of all notes and drums, each time once."""

    sound: Sound
    tempo_bpm: float
    beats_seconds: Wave
    onsets_seconds: Wave


def draw_piece(name: str, seed: int, *, seconds: float = 20.0, clean: bool = False) -> Piece:
    """A piece of this genre; `seed` decides tempo, sounds, notes, variation, noise and voice."""
    random = np.random.default_rng([seed, *name.encode()])
    return draw({**GENRES, **HELD_OUT}[name], random, seconds=seconds, clean=clean)


def draw(genre: Genre, random: Random, *, seconds: float, clean: bool = False) -> Piece:
    """A piece of a genre by these random numbers; `clean`: on time, no noise, no voice."""
    tempo = round(float(random.uniform(*genre.tempos)), 1)
    step = 60 / tempo / genre.steps
    start = float(random.uniform(0, 4 * genre.steps * step))
    sound = np.zeros(int((seconds + 3) * SPEECH_RATE))
    heard: list[float] = []
    late = random.uniform(0, 0.25) if genre.steps == 4 and random.random() < 0.3 else 0.0
    gains = random.uniform(0.5, 1.3, 6)
    key = int(random.integers(40, 52))
    rows: list[tuple[str, Callable[[int], Wave]]] = [
        (genre.kick, _kick(random)),
        (genre.snare, _snare(random)),
        (genre.hat, _hat(random)),
        (genre.bass, _pitched(random, key - 12, "bass")),
        (genre.chord, _pitched(random, key + 12, "chord")),
        (genre.melody, _pitched(random, key + 24, "melody")),
    ]
    for i in range(int((seconds - start) / step)):
        at = start + (i + (late if i % 2 else 0)) * step
        for (row, instrument), gain in zip(rows, gains, strict=True):
            hit = row[i % len(row)] if row else "."
            if hit == "." or random.random() < 0.04:
                continue
            loud = gain * (1.0 if hit == "x" else 0.45) * random.uniform(0.75, 1.0)
            early = 0.0 if clean else float(random.normal(0, 0.004))
            first = max(0, int((at + early) * SPEECH_RATE))
            wave = instrument(i // (4 * genre.steps))
            sound[first : first + len(wave)] += loud * wave[: len(sound) - first]
            heard.append(at)
    sound = sound[: int(seconds * SPEECH_RATE)]
    if not clean:
        sound = sound + _disturbance(random, len(sound)) * float(np.abs(sound).max())
    beats = np.arange(start, seconds, 60 / tempo)
    peak = max(1e-9, float(np.abs(sound).max()))
    onsets = np.unique(np.round([at for at in heard if at < seconds], 4))
    return Piece(np.asarray(0.8 * sound / peak, np.float32), tempo, beats, onsets)


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * SPEECH_RATE)) / SPEECH_RATE


def _kick(random: Random) -> Callable[[int], Wave]:
    time, pitch = _time(0.3), random.uniform(45, 70)
    turn = 2 * np.pi * (pitch * time + 3 * (1 - np.exp(-time * 40)))
    wave = 0.9 * np.sin(turn) * np.exp(-time * random.uniform(8, 20))
    return lambda _: wave


def _snare(random: Random) -> Callable[[int], Wave]:
    time = _time(0.25)
    hiss = random.normal(0, 0.3, len(time)) * np.exp(-time * random.uniform(15, 35))
    wave = hiss + 0.3 * np.sin(2 * np.pi * random.uniform(160, 240) * time) * np.exp(-time * 25)
    return lambda _: wave


def _hat(random: Random) -> Callable[[int], Wave]:
    time = _time(0.15)
    hiss = np.diff(random.normal(0, 0.12, len(time) + 1))
    wave = hiss * np.exp(-time * random.uniform(30, 80))
    return lambda _: wave


def _pitched(random: Random, key: int, part: str) -> Callable[[int], Wave]:
    """Notes of a part in one timbre: another chord each bar, another note of a melody each time."""
    rise = {"bass": 0.008, "chord": random.choice([0.01, 0.06, 0.15]), "melody": 0.015}[part]
    length = {"bass": 0.4, "chord": random.choice([0.3, 1.8]), "melody": 0.35}[part]
    time = _time(length * 1.3)
    fall = np.exp(-time * random.uniform(0.5, 6)) * np.clip((length * 1.3 - time) / 0.05, 0, 1)
    envelope = np.clip(time / rise, 0, 1) * fall
    overtones = random.uniform(0.2, 0.7) ** np.arange(8)

    def tone(semitone: int) -> Wave:
        hertz = 440 * 2 ** ((key + semitone - 69) / 12)
        many = np.arange(1, 9)[:, None] * hertz
        waves = np.sin(2 * np.pi * many * time) * (many < 7500)
        return np.asarray(0.35 * (overtones @ waves) * envelope)

    def note(bar: int) -> Wave:
        root = ROOTS[bar % len(ROOTS)]
        if part == "chord":
            return np.asarray((tone(root) + tone(root + 3) + tone(root + 7)) / 2)
        return tone(root + (int(random.choice(SCALE)) if part == "melody" else 0))

    return note


def _disturbance(random: Random, count: int) -> Wave:
    """Steady noise and, in a third of the pieces, a voice: syllables of no rhythm, 3-6 a second."""
    noise = random.normal(0, 10 ** random.uniform(-3.5, -1.6), count)
    if random.random() > 0.33:
        return np.asarray(noise)
    at = 0.0
    while at < count / SPEECH_RATE:
        time = _time(random.uniform(0.1, 0.3))
        shape = np.sin(np.pi * np.arange(len(time)) / len(time)) ** 0.7
        pitch = random.uniform(100, 220) * (1 + 0.1 * time)
        formant = random.uniform(400, 2500)
        many = np.arange(1, 25)[:, None]
        weight = np.exp(-(((many * 150 - formant) / 400) ** 2))
        wave = (weight * np.sin(2 * np.pi * many * pitch * time)).sum(axis=0) * shape
        first = int(at * SPEECH_RATE)
        noise[first : first + len(wave)] += 0.12 * wave[: count - first]
        at += len(time) / SPEECH_RATE + random.exponential(0.12)
    return np.asarray(noise)
