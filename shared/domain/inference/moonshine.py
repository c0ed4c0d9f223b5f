"""English speech to text with word times: Moonshine's tiny networks, run directly.

The networks are those that moonshine-voice carries (Moonshine tiny, English, MIT; Jeffries et al.
2024, arXiv:2410.15608). They give words without times. A word's time is found by what a decoder
needs to say it: it is told to look at the sound up to a cut only, and the word ends where its
probability rises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.inference.networks import Network, expect, open_network
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.speech import Stretch, find_speech
from shared.inference_models import Transcript, Word

SOURCE = "moonshine-tiny-en"
RATE = 16_000
# One state of the encoder; the decoder's mask counts samples.
STATE_SAMPLES = 384
STATE_SECONDS = STATE_SAMPLES / RATE
BEGIN, END = 1, 2
FIRST_SPOKEN = 3
WORD_MARK = "\u2581".encode()
TOKENS_A_SECOND = 6.5
# Sentences are understood better than their parts.
MAX_PIECE_SECONDS = 12.0
MAX_PAUSE_SECONDS = 1.0
MARGIN_SECONDS = 0.3
MIN_PIECE_SECONDS = 0.3
# Of 40 announcements in English 38 have 0.82 or more and none less than 0.80; in Spanish (by the
# same voice), French, Italian and Russian 158 of 160 have 0.60 or less and make no sense.
MIN_CONFIDENCE = 0.62
CUT_STATES = 12
CUTS_AT_ONCE = 8
# A state hears a little ahead of its time (measured on read sentences with known word times).
LOOKAHEAD_SECONDS = 0.27

States = NDArray[np.float32]
Feeds = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Spoken:
    """A word in a piece: its text, which tokens it is, and how sure they are, 0-1."""

    text: str
    tokens: tuple[int, ...]
    confidence: float


class MoonshineRecogniser:
    """Moonshine's encoder and decoder; it knows English only, and says so about the rest."""

    def __init__(self, encoder: Network, decoder: Network, tokens: Sequence[bytes]) -> None:
        """Raises AnalyserUnavailable when the files are other networks."""
        shape = encoder.output_shapes[0]
        expect(encoder, len(shape) == 3, "(n, samples) -> (n, states, width)")
        shape = decoder.output_shapes[0]
        fits = len(shape) == 3 and shape[2] == len(tokens)
        expect(decoder, fits, f"tokens and states -> (n, tokens, {len(tokens)})")
        self._encoder, self._decoder, self._tokens = encoder, decoder, tokens
        self._past = {
            name: shape for name, shape in decoder.input_shapes.items() if name.startswith("past_")
        }
        self.provider: str = decoder.provider

    def transcribe(self, sound: NDArray[np.float32], start_seconds: float) -> Transcript:
        """The words in 16 kHz mono that begins at `start_seconds` of the video.

        Raises AnalyserUnavailable when there is speech and none of it is English.
        """
        words: list[Word] = []
        doubtful = 0
        for stretches in pieces(find_speech(sound)):
            first = max(0.0, stretches[0].start_seconds - MARGIN_SECONDS)
            last = stretches[-1].end_seconds + MARGIN_SECONDS
            piece = sound[round(first * RATE) : round(last * RATE)]
            found = self._hear(piece)
            if found is None:
                doubtful += 1
                continue
            spoken, ends = found
            beginning = start_seconds + first
            around = [Stretch(s - first, e - first) for s, e in stretches]
            words += place_words(spoken, ends, around, beginning)
        if doubtful and not words:
            raise AnalyserUnavailable(
                "what is said is no English that can be understood (the recogniser knows no other "
                "language); words can be given with --transcript FILE.srt"
            )
        return Transcript(language="en" if words else "", source=SOURCE, words=tuple(words))

    def _hear(self, piece: NDArray[np.float32]) -> tuple[list[Spoken], list[float]] | None:
        """Words of a piece and when each ends in it, in seconds; None when it is not English."""
        if len(piece) < MIN_PIECE_SECONDS * RATE:
            return [], []
        everything = np.ones((1, len(piece)), np.int64)
        feeds: Feeds = {"input_values": piece[None], "attention_mask": everything}
        states: States = self._encoder.run_named(feeds)[0]
        tokens, shares = self._say(states)
        if _mean(shares) < MIN_CONFIDENCE:
            return None
        spoken = split_words(tokens, shares, self._tokens)
        return spoken, self._ends(states, tokens, spoken) if spoken else []

    def _say(self, states: States) -> tuple[list[int], list[float]]:
        """The likeliest tokens, one after the other, and how likely each was."""
        count = states.shape[1]
        mask = np.ones((1, count * STATE_SAMPLES), np.int64)
        past = self._no_past(1, count)
        tokens, shares = [BEGIN], list[float]()
        for step in range(int(count * STATE_SECONDS * TOKENS_A_SECOND) + 4):
            logits, *present = self._decode(np.array([tokens[-1:]]), states, mask, past, step > 0)
            # What was made of the sound is there since the first step, and left out later.
            new = dict(zip(past, present, strict=True))
            past = {n: new[n] if ".decoder." in n or not step else past[n] for n in past}
            token = int(logits[0, -1].argmax())
            shares.append(float(np.exp(log_shares(logits[:, -1:], np.array([token]))[0, 0])))
            tokens.append(token)
            if token == END:
                break
        return tokens, shares

    def _ends(self, states: States, tokens: list[int], spoken: list[Spoken]) -> list[float]:
        """When each word ends, in seconds from the begin of the piece, never falling."""
        count = states.shape[1]
        cuts = np.append(np.arange(CUT_STATES, count, CUT_STATES), count)
        sure = np.zeros((len(cuts), len(spoken)))
        for first in range(0, len(cuts), CUTS_AT_ONCE):
            some = cuts[first : first + CUTS_AT_ONCE]
            chances = self._chances(states, tokens, some)
            for column, word in enumerate(spoken):
                sure[first : first + len(some), column] = chances[:, word.tokens].mean(axis=1)
        rises = np.maximum(np.diff(np.exp(sure), axis=0, prepend=0), 0)
        middle = CUT_STATES * STATE_SECONDS / 2
        at = [cuts[step] * STATE_SECONDS - middle + LOOKAHEAD_SECONDS for step in in_order(rises)]
        return [min(float(end), count * STATE_SECONDS) for end in at]

    def _chances(
        self, states: States, tokens: list[int], cuts: NDArray[Any]
    ) -> NDArray[np.float32]:
        """Logarithm of each token's probability (cuts, tokens - 1), hearing up to each cut."""
        several, count = len(cuts), states.shape[1]
        heard = np.arange(count)[None] < cuts[:, None]
        mask = np.repeat(heard, STATE_SAMPLES, axis=1).astype(np.int64)
        given = np.repeat([tokens[:-1]], several, axis=0)
        logits = self._decode(
            given, np.repeat(states, several, axis=0), mask, self._no_past(several, count), False
        )[0]
        return log_shares(logits, np.array(tokens[1:]))

    def _decode(
        self,
        tokens: NDArray[Any],
        states: States,
        mask: NDArray[np.int64],
        past: dict[str, NDArray[np.float32]],
        follow: bool,
    ) -> list[NDArray[Any]]:
        feeds: Feeds = {
            "input_ids": tokens.astype(np.int64),
            "encoder_hidden_states": states,
            "encoder_attention_mask": mask,
            "use_cache_branch": np.array([follow]),
        }
        return self._decoder.run_named({**feeds, **past})

    def _no_past(self, several: int, count: int) -> dict[str, NDArray[np.float32]]:
        """What the decoder remembers before it has said anything."""
        return {
            name: np.zeros(
                (several, shape[1], count if ".encoder." in name else 0, shape[3]), np.float32
            )
            for name, shape in self._past.items()
        }


def pieces(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Stretches of speech with short pauses between them, together up to twelve seconds.

    A longer stretch is cut in equal parts.
    """
    found: list[list[Stretch]] = []
    for whole in stretches:
        length = whole.end_seconds - whole.start_seconds
        parts = max(1, int(np.ceil(length / MAX_PIECE_SECONDS)))
        borders = np.linspace(whole.start_seconds, whole.end_seconds, parts + 1)
        for begin, end in pairwise(borders):
            last = found[-1] if found else []
            near = last and begin - last[-1].end_seconds <= MAX_PAUSE_SECONDS
            if near and end - last[0].start_seconds <= MAX_PIECE_SECONDS:
                last.append(Stretch(float(begin), float(end)))
            else:
                found.append([Stretch(float(begin), float(end))])
    return found


def split_words(
    tokens: Sequence[int], shares: Sequence[float], texts: Sequence[bytes]
) -> list[Spoken]:
    """The words of tokens whose first is the begin; a word's mark opens a new one."""
    groups: list[list[int]] = []
    for index, token in enumerate(tokens[1:]):
        if token < FIRST_SPOKEN:
            continue
        if not groups or texts[token].startswith(WORD_MARK):
            groups.append([])
        groups[-1].append(index)
    found = []
    for group in groups:
        letters = b"".join(texts[tokens[index + 1]] for index in group).replace(WORD_MARK, b"")
        text = letters.decode(errors="replace").strip()
        if text:
            found.append(Spoken(text, tuple(group), _mean([shares[index] for index in group])))
    return found


def in_order(rises: NDArray[np.float64]) -> list[int]:
    """For each column the row that gives the largest sum while rows never fall (Viterbi)."""
    rows, columns = rises.shape
    best, back = rises[:, 0], np.zeros((columns, rows), np.int64)
    for column in range(1, columns):
        reached = np.maximum.accumulate(best)
        new = np.concatenate([[True], best[1:] > reached[:-1]])
        back[column] = np.maximum.accumulate(np.where(new, np.arange(rows), 0))
        best = reached + rises[:, column]
    path = [int(best.argmax())]
    for column in range(columns - 1, 0, -1):
        path.append(int(back[column, path[-1]]))
    return path[::-1]


def place_words(
    spoken: Sequence[Spoken], ends: Sequence[float], stretches: Sequence[Stretch], start: float
) -> list[Word]:
    """Words with their times in the video, of a piece that begins at `start` seconds of it.

    Words that end together share their time by their letters; none begins in the pause before
    the stretch that it ends in.
    """
    found: list[Word] = []
    before = stretches[0].start_seconds
    index = 0
    while index < len(spoken):
        together = [k for k in range(index, len(spoken)) if ends[k] == ends[index]]
        end = max(ends[index], before)
        begins = [s.start_seconds for s in stretches if s.start_seconds < end]
        begin = max(before, begins[-1] if begins else 0.0)
        letters = np.cumsum([0] + [len(spoken[k].text) + 1 for k in together])
        times = start + begin + (end - begin) * letters / letters[-1]
        found += [
            Word(
                word=spoken[k].text,
                start_seconds=round(float(times[place]), 3),
                end_seconds=round(float(times[place + 1]), 3),
                confidence=round(min(1.0, spoken[k].confidence), 3),
            )
            for place, k in enumerate(together)
        ]
        before, index = end, index + len(together)
    return found


def log_shares(logits: NDArray[Any], tokens: NDArray[Any]) -> NDArray[np.float32]:
    """Logarithm of the share of one token at each place: (n, places, all) -> (n, places)."""
    most = logits.max(axis=-1)
    # In place: the scores of all tokens are the largest array here.
    spread = np.subtract(logits, most[..., None], dtype=np.float32)
    own = np.take_along_axis(spread, tokens[None, :, None].repeat(len(logits), 0), axis=2)[..., 0]
    return np.asarray(own - np.log(np.exp(spread, out=spread).sum(axis=-1)), np.float32)


def _mean(shares: Sequence[float]) -> float:
    """The geometric mean; 0 of nothing."""
    return float(np.exp(np.mean(np.log(np.maximum(shares, 1e-12))))) if len(shares) else 0.0


def read_tokens(file: Path) -> list[bytes]:
    """The texts of the tokens: each a length in one byte, in two from 128 on, and its bytes."""
    data = file.read_bytes()
    found: list[bytes] = []
    at = 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128 and at < len(data):
            length, at = length - 128 + data[at] * 128, at + 1
        found.append(data[at : at + length])
        at += length
    return found


def open_moonshine(folder: Path) -> MoonshineRecogniser:
    """The recogniser of the packaged networks; raises AnalyserUnavailable."""
    encoder = find_model("english-speech-encoder", folder)
    decoder = find_model("english-speech-decoder", folder)
    tokens = read_tokens(find_model("english-speech-tokens", folder))
    return MoonshineRecogniser(open_network(encoder), open_network(decoder), tokens)
