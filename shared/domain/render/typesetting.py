"""Breaks words into lines and finds the size at which they fit their box."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.render.fonts import Typecase

LINE_HEIGHT = 1.22
# Kerning and joining are not measured; outlines need room too.
SPARE_WIDTH = 0.97
MIN_EM = 3
SIZE_STEPS = 12
# Below this share of the picture's short side words are rather broken than made smaller.
LEGIBLE = 0.03


@dataclass(frozen=True)
class Word:
    """Characters without a space; `mark` says which word of the caller it belongs to."""

    text: str
    mark: int


Line = tuple[Word, ...]


@dataclass(frozen=True)
class Setting:
    """Lines of words at one size in pixels of the output."""

    em: int
    lines: tuple[Line, ...]
    widths: tuple[float, ...]

    @property
    def height(self) -> float:
        """Pixels from the top of the first line to the bottom of the last."""
        return len(self.lines) * self.line_height

    @property
    def line_height(self) -> float:
        """Pixels from line to line."""
        return self.em * LINE_HEIGHT

    @property
    def width(self) -> float:
        """Pixels of the widest line."""
        return max(self.widths, default=0.0)


class Typesetter:
    """Measures words once and breaks them at many sizes."""

    def __init__(self, fonts: Typecase, *, bold: bool = True) -> None:
        self._fonts, self._bold = fonts, bold
        self._known: dict[str, float] = {}

    def fit(
        self, paragraphs: Sequence[Sequence[Word]], box: tuple[float, float], most: int, least: int
    ) -> Setting:
        """The largest size up to `most` pixels at which everything fits `box`, (width, height).

        Words stay whole down to `least` pixels; below it they are broken where they have to be.
        """
        whole = self._largest(paragraphs, box, (least, most), breaking=False)
        if whole is not None:
            return whole
        found = self._largest(paragraphs, box, (MIN_EM, most), breaking=True)
        return found or self._set(paragraphs, box[0], MIN_EM, breaking=True)

    def _largest(
        self,
        paragraphs: Sequence[Sequence[Word]],
        box: tuple[float, float],
        sizes: tuple[int, int],
        *,
        breaking: bool,
    ) -> Setting | None:
        low, high = sizes[0], max(sizes)
        best = None
        while low <= high:
            em = (low + high + 1) // 2
            found = self._set(paragraphs, box[0], em, breaking=breaking)
            if found.height <= box[1] and found.width <= box[0]:
                best, low = found, em + 1
            else:
                high = em - 1
        return best

    def _set(
        self, paragraphs: Sequence[Sequence[Word]], width: float, em: int, *, breaking: bool
    ) -> Setting:
        room = width * SPARE_WIDTH / em
        lines = [
            line
            for words in paragraphs
            for line in self._lines(self._broken(words, room) if breaking else words, room)
        ]
        widths = tuple(self.line_width(line) * em for line in lines)
        return Setting(em, tuple(lines), widths)

    def _lines(self, words: Sequence[Word], room: float) -> list[Line]:
        lines: list[list[Word]] = [[]]
        space, used = self._width(" "), 0.0
        for word in words:
            wide = self._width(word.text)
            if lines[-1] and used + space + wide > room:
                lines.append([])
                used = 0.0
            used += wide + (space if lines[-1] else 0.0)
            lines[-1].append(word)
        return [tuple(line) for line in lines]

    def _broken(self, words: Sequence[Word], room: float) -> list[Word]:
        """Words wider than a line, cut into pieces that fit."""
        pieces: list[Word] = []
        for word in words:
            rest = word.text
            while self._width(rest) > room and len(rest) > 1:
                count = self._fitting(rest, room)
                pieces.append(Word(rest[:count], word.mark))
                rest = rest[count:]
            pieces.append(Word(rest, word.mark))
        return pieces

    def _fitting(self, text: str, room: float) -> int:
        low, high = 1, len(text) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._width(text[:middle]) <= room else (low, middle - 1)
        return low

    def line_width(self, line: Line) -> float:
        """Ems of a line with its spaces."""
        words = sum(self._width(word.text) for word in line)
        return words + self._width(" ") * max(0, len(line) - 1)

    def _width(self, text: str) -> float:
        if text not in self._known:
            self._known[text] = self._fonts.width(text, bold=self._bold)
        return self._known[text]


def paragraphs_of(text: str) -> list[list[Word]]:
    """Words by line of the text; control characters count as spaces."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    paragraphs = [[Word(word, 0) for word in _printable(line).split()] for line in lines]
    return [words for words in paragraphs if words]


def _printable(text: str) -> str:
    return "".join(" " if char < " " or "\x7f" <= char < "\xa0" else char for char in text)
