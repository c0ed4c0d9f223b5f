"""Meaning of sentences as vectors: all-MiniLM-L6-v2 in numpy, without torch.

The network is BERT (Devlin et al., 2019) with 6 layers of 384 dimensions and 12 heads, the mean
of its last states as the sentence's vector (Reimers and Gurevych, 2019), scaled to length 1.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.video.detector import AnalyserUnavailable

MODEL = "all-MiniLM-L6-v2"
DIMENSIONS = 384
LAYERS = 6
HEADS = 12
MAX_TOKENS = 256
TEXTS_AT_ONCE = 32
MOST_FILLER = 1.5
"""The longest text of a batch over its shortest."""
NORM_EPSILON = 1e-12
MASKED = np.float32(-1e9)

Vectors = NDArray[np.float32]
Weights = dict[str, Vectors]


class SentenceEmbedder(Protocol):
    """What turns texts into vectors; sentence-transformers in the image has this interface."""

    model: str
    provider: str

    def embed(self, texts: list[str]) -> Vectors:
        """(texts, 384), each of length 1; a text's tokens beyond the 256th are not looked at."""


class NumpyEmbedder:
    """all-MiniLM-L6-v2 as a forward pass of 60 lines; equal to sentence-transformers' to 1e-6."""

    model = MODEL
    provider = "cpu"

    def __init__(self, weights: Weights, tokenizer: Any) -> None:
        self._weights = weights
        self._tokenizer = tokenizer
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()

    def embed(self, texts: list[str]) -> Vectors:
        """(texts, 384), each of length 1."""
        rows = [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts))]
        found = np.zeros((len(rows), DIMENSIONS), np.float32)
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        while order:
            # Texts of like length go together, so that little of a batch is filler.
            most = MOST_FILLER * len(rows[order[0]])
            batch = [index for index in order[:TEXTS_AT_ONCE] if len(rows[index]) <= most]
            found[batch] = self._forward([rows[index] for index in batch])
            order = order[len(batch) :]
        return found

    def _forward(self, rows: list[list[int]]) -> Vectors:
        longest = max(len(row) for row in rows)
        ids = np.array([row + [0] * (longest - len(row)) for row in rows])
        mask = np.array([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows])
        mask = mask.astype(np.float32)
        weights = self._weights
        states = weights["embeddings.word_embeddings.weight"][ids]
        states = states + weights["embeddings.position_embeddings.weight"][:longest]
        states = states + weights["embeddings.token_type_embeddings.weight"][0]
        states = self._norm(states, "embeddings.LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * MASKED
        for layer in range(LAYERS):
            states = self._layer(states, hidden, f"encoder.layer.{layer}")
        summed = (states * mask[:, :, None]).sum(axis=1)
        mean = summed / mask.sum(axis=1, keepdims=True)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)

    def _layer(self, states: Vectors, hidden: Vectors, name: str) -> Vectors:
        heard = self._attention(states, hidden, f"{name}.attention.self")
        heard = self._linear(heard, f"{name}.attention.output.dense")
        states = self._norm(states + heard, f"{name}.attention.output.LayerNorm")
        inner = gelu(self._linear(states, f"{name}.intermediate.dense"))
        return self._norm(
            states + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )

    def _attention(self, states: Vectors, hidden: Vectors, name: str) -> Vectors:
        count, length, _ = states.shape

        def heads(part: str) -> Vectors:
            flat = self._linear(states, f"{name}.{part}")
            return np.asarray(flat.reshape(count, length, HEADS, -1).transpose(0, 2, 1, 3))

        query, key, value = heads("query"), heads("key"), heads("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(query.shape[-1])) + hidden
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        heard = (scores @ value).transpose(0, 2, 1, 3)
        return np.asarray(heard.reshape(count, length, -1))

    def _linear(self, states: Vectors, name: str) -> Vectors:
        turned = states @ self._weights[f"{name}.weight"].T
        return np.asarray(turned + self._weights[f"{name}.bias"], np.float32)

    def _norm(self, states: Vectors, name: str) -> Vectors:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + NORM_EPSILON)
        scaled = centred / spread * self._weights[f"{name}.weight"]
        return np.asarray(scaled + self._weights[f"{name}.bias"], np.float32)


class TransformersEmbedder:
    """The same model run by sentence-transformers, for an image that has torch."""

    model = MODEL

    def __init__(self, folder: Path) -> None:
        """`folder` holds the model as sentence-transformers saves it; nothing is downloaded.

        Raises AnalyserUnavailable without the package or the model.
        """
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as problem:
            raise AnalyserUnavailable(
                f"sentence-transformers is not installed ({problem})"
            ) from problem
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self._network: Any = SentenceTransformer(
                str(folder), device=device, local_files_only=True
            )
        except (OSError, ValueError) as problem:
            raise AnalyserUnavailable(f"{str(folder)!r} holds no sentence model") from problem
        self.provider = "gpu" if device == "cuda" else "cpu"

    def embed(self, texts: list[str]) -> Vectors:
        """(texts, 384), each of length 1."""
        if not texts:
            return np.zeros((0, DIMENSIONS), np.float32)
        vectors = self._network.encode(
            list(texts), batch_size=TEXTS_AT_ONCE, normalize_embeddings=True
        )
        return np.asarray(vectors, np.float32)


def gelu(states: Vectors) -> Vectors:
    """x times the normal distribution's share below x (Hendrycks and Gimpel, 2016)."""
    return np.asarray(0.5 * states * (1 + erf(states * np.float32(np.sqrt(0.5)))), np.float32)


def erf(values: Vectors) -> Vectors:
    """The error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    size = np.abs(values)
    t = 1 / (1 + np.float32(0.3275911) * size)
    terms = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series = np.zeros_like(t)
    for term in reversed(terms):
        series = (series + np.float32(term)) * t
    return np.asarray(np.sign(values) * (1 - series * np.exp(-size * size)), np.float32)


@lru_cache(maxsize=2)
def open_embedder(folder: Path) -> NumpyEmbedder:
    """The embedder, loaded once per process; raises AnalyserUnavailable."""
    weights = find_model("sentence-weights", folder)
    words = find_model("sentence-tokenizer", folder)
    try:
        from tokenizers import Tokenizer
    except ImportError as problem:
        raise AnalyserUnavailable(f"tokenizers cannot be loaded ({problem})") from problem
    return NumpyEmbedder(read_safetensors(weights), Tokenizer.from_file(str(words)))


def read_safetensors(file: Path) -> Weights:
    """The float32 arrays of a safetensors file: 8 bytes of length, a JSON header, raw numbers."""
    data = np.memmap(file, np.uint8, "r")
    length = int(data[:8].view("<u8")[0])
    header = json.loads(data[8 : 8 + length].tobytes())
    found: Weights = {}
    for name, facts in header.items():
        if name == "__metadata__" or facts["dtype"] != "F32":
            continue
        first, last = (8 + length + int(offset) for offset in facts["data_offsets"])
        found[name] = np.frombuffer(data[first:last], "<f4").reshape(facts["shape"])
    return found
