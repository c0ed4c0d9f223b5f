"""Which pieces of which frames are read: those whose standing edges look like fresh writing."""

import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from shared.domain.inference.gate import GATE_SIDE, WHOLE, Edges, Region, TextGate, contrast_of
from shared.domain.video.colours import colour_picture
from shared.domain.video.pictures import ROTATE_CODES, Look, Picture, fit

Say = Callable[[dict[str, Any]], None]

# Nobody reads what stands for less than two samples.
SAMPLE_SECONDS = 0.125
# So long a sample waits for a frame that those who decode reference frames only see as well.
WAIT_SECONDS = 0.125
TEXT_SIDE = 1280
# A whole picture is a look in case; half of 1920 is made fast.
WHOLE_SIDE = 960
# Writing that moves, or is as faint as nature, is found by looking at the whole picture, soon
# after a shot has begun and then now and again.
PEEK_AFTER_SECONDS = 0.3
PEEK_SECONDS = 4.0
TINY = (32, 18)
NEW_SHOT_LEVELS = 12.0
# Flicker and noise must not cost more than this.
ALLOWED_A_SECOND, MOST_ALLOWED = 2.0, 6.0
READ_PRICE = 0.35
"""Of a look at a region, beside its share of the picture."""
WHOLE_GAP_SECONDS = 0.5
MAX_READS = 900
EDGES_A_PART = 64
JPEG_QUALITY = 92


@dataclass
class Sample:
    """The edges of one sampled frame, and when it is shown."""

    at: float
    edges: Edges


class TextWatcher:
    """Follows the edges of sampled frames and hands over the regions that want reading.

    It sees the same samples whether all frames are decoded or reference frames only.
    """

    def __init__(self, say: Say) -> None:
        self.seconds = 0.0
        self.skipped = 0
        self._tiny: Picture | None = None
        self._peek_at = float("-inf")
        self._say = say
        self._gate = TextGate()
        self._samples = 0
        self._waiting: deque[Sample] = deque()
        self._next = float("-inf")
        self._peeked = float("-inf")
        self._reads = 0
        self._whole_gap = WHOLE_GAP_SECONDS
        self._late = False
        self._allowance, self._allowed_at = MOST_ALLOWED, 0.0

    def wants(self, at: float) -> bool:
        """Whether a frame shown at `at` is sampled."""
        return at >= self._next

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame; most are not sampled."""
        if not self.wants(at) or (frame.bidirectional and at < self._next + WAIT_SECONDS):
            return
        began = time.thread_time()
        self._next = at + SAMPLE_SECONDS - 1e-6
        self._sample(frame, at)
        self.seconds += time.thread_time() - began

    def _sample(self, frame: Look, at: float) -> None:
        picture = gate_picture(frame)
        self._watch_shots(picture, at)
        regions, edges = self._gate.changed(contrast_of(picture))
        self._keep(Sample(at, edges))
        kind = "standing"
        if not regions and self._gate.doubtful and self._peek_due(at):
            regions, kind = [WHOLE], "peek"
        if not regions:
            return
        if not self._may_read(regions, kind, at):
            self._gate.forget(regions)
            return
        if regions == [WHOLE]:
            self._gate.all_read()
            self._peeked = at
            self._whole_gap = min(PEEK_SECONDS, 2 * self._whole_gap)
        for region in regions:
            self._hand_over(frame, region, at, kind)

    def _watch_shots(self, picture: Picture, at: float) -> None:
        """A picture unlike the last one is taken for the beginning of a shot."""
        tiny = cv2.resize(picture, TINY, interpolation=cv2.INTER_AREA)
        change = None if self._tiny is None else cv2.absdiff(tiny, self._tiny)
        if change is None or float(change.mean()) >= NEW_SHOT_LEVELS:
            self._peek_at = at + PEEK_AFTER_SECONDS
            self._whole_gap = WHOLE_GAP_SECONDS
        self._tiny = np.asarray(tiny, np.uint8)

    def _peek_due(self, at: float) -> bool:
        """Whether a shot has just begun, or the last look at the whole picture is long ago."""
        begun = at >= self._peek_at
        if begun:
            self._peek_at = float("inf")
        return begun or at >= self._peeked + PEEK_SECONDS

    def _may_read(self, regions: list[Region], kind: str, at: float) -> bool:
        """A bucket that fills with time: bursts pass, steady flicker waits.

        What stands all over the picture is looked at less and less often until the next shot:
        most of it is a street or a wood.
        """
        gained = (at - self._allowed_at) * ALLOWED_A_SECOND
        self._allowance = min(MOST_ALLOWED, self._allowance + max(0.0, gained))
        self._allowed_at = at
        price = sum(READ_PRICE + region.area for region in regions)
        early = regions == [WHOLE] and kind != "peek" and at < self._peeked + self._whole_gap
        if early or self._allowance < min(price, MOST_ALLOWED) or self._reads >= MAX_READS:
            self.skipped += not self._late
            self._late = True
            return False
        self._allowance -= price
        self._reads += 1
        self._late = False
        return True

    def _hand_over(self, frame: Look, region: Region, at: float, kind: str) -> None:
        picture, place = cut_out(frame, region)
        self._say(
            {
                "kind": "text",
                "how": kind,
                "at": at,
                "sample": self._samples - 1,
                "place": place,
                "jpeg": jpeg_of(picture),
            }
        )

    def _keep(self, sample: Sample) -> None:
        self._waiting.append(sample)
        self._samples += 1
        if len(self._waiting) >= EDGES_A_PART or self._turned(sample):
            self._hand_over_edges()

    def _turned(self, sample: Sample) -> bool:
        """Whether the picture changed its size, which a part's edges share."""
        return self._waiting[0].edges.shape != sample.edges.shape

    def _hand_over_edges(self) -> None:
        shape = self._waiting[0].edges.shape
        same = [sample for sample in self._waiting if sample.edges.shape == shape]
        if same:
            packed = np.packbits(np.stack([sample.edges for sample in same]), axis=2)
            self._say(
                {
                    "kind": "edges",
                    "shape": list(shape),
                    "at": [sample.at for sample in same],
                    "packed": b64encode(packed.tobytes()).decode(),
                }
            )
        self._waiting = deque(s for s in self._waiting if s.edges.shape != shape)

    def result(self) -> None:
        """Hands over what is left."""
        while self._waiting:
            self._hand_over_edges()


def gate_picture(frame: Look) -> Picture:
    """Brightness at 384 pixels a side, as displayed."""
    size = fit(frame.width, frame.height, GATE_SIDE)
    small = cv2.resize(frame.middle, size, interpolation=cv2.INTER_AREA)
    if frame.rotation:
        small = cv2.rotate(small, ROTATE_CODES[frame.rotation])
    return np.asarray(small, np.uint8)


def cut_out(frame: Look, region: Region) -> tuple[Picture, list[int]]:
    """A region in colour, as displayed, of the picture at 1280 pixels a side at most; all at 960.

    Also where it lies: left, top, and the width and height of the whole, in its pixels.
    """
    height, width = frame.planes[0].shape
    side = fit(width, height, WHOLE_SIDE if region == WHOLE else TEXT_SIDE)
    stored = as_stored(region, frame.rotation)
    # Halved colour planes want even borders.
    left, top = (int(n) // 2 * 2 for n in (stored.left * width, stored.top * height))
    right, bottom = (
        min(most, -int(-n // 2) * 2)
        for n, most in ((stored.right * width, width), (stored.bottom * height, height))
    )
    planes = tuple(
        plane[
            top * plane.shape[0] // height : -(-bottom * plane.shape[0] // height),
            left * plane.shape[1] // width : -(-right * plane.shape[1] // width),
        ]
        for plane in frame.planes
    )
    scale = max(side) / max(width, height)
    part = replace(frame, planes=planes)
    picture = colour_picture(part, max(1, round(scale * max(right - left, bottom - top))))
    shown = as_displayed(
        Region(left / width, top / height, right / width, bottom / height), frame.rotation
    )
    if frame.rotation in (90, 270):
        side = side[::-1]
    return picture, [round(shown.left * side[0]), round(shown.top * side[1]), *side]


def as_displayed(region: Region, rotation: int) -> Region:
    """Where a region of the stored picture is after turning it clockwise by `rotation` degrees."""
    for _ in range(rotation // 90):
        region = Region(1 - region.bottom, region.left, 1 - region.top, region.right)
    return region


def as_stored(region: Region, rotation: int) -> Region:
    """Where a region of the displayed picture is in the stored one."""
    return as_displayed(region, (360 - rotation) % 360)


def jpeg_of(picture: Picture) -> str:
    """A JPEG of a BGR picture, in base64."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return b64encode(data.tobytes()).decode()
