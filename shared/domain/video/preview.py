"""Preview mode: only reference frames are decoded, and their results put on the full timeline."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.models import Faces, Transition

# Timestamps of one frame in container and decoder differ at most by rounding.
SAME_SECONDS = 1e-4


@dataclass(frozen=True)
class Numbering:
    """Which frames of a video were seen: `seen[i]` is the number of the i-th seen frame."""

    seen: NDArray[np.int64]
    frames: int

    @property
    def complete(self) -> bool:
        """Whether every frame was seen."""
        return len(self.seen) == self.frames

    def transitions(self, found: Iterable[Transition]) -> tuple[Transition, ...]:
        """Transitions between seen frames as transitions between frames of the video."""
        return tuple(
            t.model_copy(
                update={
                    "start_frame": int(self.seen[t.start_frame]),
                    "end_frame": int(self.seen[t.end_frame]),
                }
            )
            for t in found
        )

    def spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """A value for every frame: one measured up to a seen frame holds since the one before."""
        if self.complete:
            return values
        following = np.searchsorted(self.seen, np.arange(self.frames))
        return values[np.minimum(following, len(values) - 1)]

    def faces(self, faces: Faces) -> Faces:
        """The samples with the numbers of their frames in the video."""
        samples = tuple(
            s.model_copy(update={"frame": int(self.seen[s.frame])}) for s in faces.samples
        )
        return faces.model_copy(update={"samples": samples})


def full_timeline(seen_at: list[float], packets_at: list[float]) -> list[float]:
    """When every frame of the video is shown, in seconds: the seen ones, and those left out.

    A packet tells the time of its frame without being decoded. Packets from before the first
    decodable frame show nothing.
    """
    left_out = np.unique(np.array(packets_at, dtype=np.float64))
    left_out = left_out[left_out > seen_at[0]]
    seen = np.array(seen_at)
    after = np.minimum(np.searchsorted(seen, left_out), len(seen) - 1)
    gap = np.minimum(np.abs(seen[after] - left_out), np.abs(seen[after - 1] - left_out))
    every: list[float] = np.sort(np.concatenate([seen, left_out[gap > SAME_SECONDS]])).tolist()
    return every


def number_frames(seen_at: list[float], all_at: list[float]) -> Numbering:
    """The numbers of the frames shown at `seen_at` among all those at `all_at`, both rising."""
    return Numbering(np.searchsorted(np.array(all_at), np.array(seen_at)), len(all_at))
