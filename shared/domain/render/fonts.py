"""The fonts in the repository, read far enough to know which characters they have and how wide.

Text is measured and split into runs here, so that nothing depends on what a machine has
installed; a script that our fonts lack is taken from the machine's fonts, and that is noted.
"""

import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).with_name("typefaces")
SYSTEM_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
MAIN_BOLD, MAIN_REGULAR = "NotoSans-Bold.ttf", "NotoSans-Regular.ttf"
OTHERS = (
    "NotoEmoji-Bold.ttf",
    "NotoSansArabic-Bold.ttf",
    "NotoSansHebrew-Bold.ttf",
    "NotoSansDevanagari-Bold.ttf",
    "NotoSansThai-Bold.ttf",
    "NotoSansArmenian-Bold.ttf",
    "NotoSansGeorgian-Bold.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "NotoSansMath-Regular.ttf",
)
REGULAR_WEIGHT, BOLD_WEIGHT = 400, 700
MAX_SYSTEM_FONTS = 400
MAX_FONT_BYTES = 40_000_000
WINDOWS_UNICODE = ((3, 10), (3, 1), (0, 4), (0, 3), (0, 6))
FAMILY_NAME, TYPOGRAPHIC_FAMILY = 1, 16
# Drawn as nothing by every shaper; they steer direction and joining and need no glyph.
INVISIBLE = frozenset((*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)))
VARIATIONS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0200), 0xFEFF, 0x00AD))


@dataclass(frozen=True)
class Font:
    """One face: widths of its characters in ems, and how high its lines are in ems.

    libass sizes a face by its line height, so that a size in ems has to be multiplied by it.
    """

    path: Path
    family: str
    bold: bool
    line_height: float
    widths: dict[int, float]

    def width(self, text: str) -> float:
        """Ems from the first to the last character's end; joining and kerning are not counted."""
        return sum(self.widths.get(ord(char), 0.0) for char in text)


@dataclass(frozen=True)
class Run:
    """Characters in a row that one font draws."""

    text: str
    font: Font


@cache
def load_font(path: Path) -> Font:
    """The face at `path`; raises ValueError when it is no TrueType or OpenType font."""
    data = path.read_bytes()
    try:
        tables = _tables(data)
        return _read_face(path, data, tables)
    except (struct.error, KeyError, IndexError) as problem:
        raise ValueError(f"{path.name} is no font that can be read: {problem}") from problem


def _tables(data: bytes) -> dict[str, int]:
    start = struct.unpack_from(">I", data, 12)[0] if data[:4] == b"ttcf" else 0
    (count,) = struct.unpack_from(">H", data, start + 4)
    entries = (struct.unpack_from(">4sIII", data, start + 12 + 16 * n) for n in range(count))
    return {tag.decode("latin-1"): offset for tag, _, offset, _ in entries}


def _read_face(path: Path, data: bytes, tables: dict[str, int]) -> Font:
    (em,) = struct.unpack_from(">H", data, tables["head"] + 18)
    (measured,) = struct.unpack_from(">H", data, tables["hhea"] + 34)
    advances = np.frombuffer(data, ">u2", measured * 2, tables["hmtx"])[::2] / em
    weight = struct.unpack_from(">H", data, tables["OS/2"] + 4)[0]
    above, below = struct.unpack_from(">HH", data, tables["OS/2"] + 74)
    glyphs = _character_map(data, tables["cmap"])
    widths = {code: float(advances[min(g, measured - 1)]) for code, g in glyphs.items() if g}
    name = _family(data, tables["name"])
    return Font(path, name, weight >= BOLD_WEIGHT, (above + below) / em, widths)


def _family(data: bytes, at: int) -> str:
    _, count, strings = struct.unpack_from(">HHH", data, at)
    found: dict[int, str] = {}
    for index in range(count):
        platform, _, _, name, size, offset = struct.unpack_from(">6H", data, at + 6 + 12 * index)
        if platform == 3 and name in (FAMILY_NAME, TYPOGRAPHIC_FAMILY):
            begin = at + strings + offset
            found.setdefault(name, data[begin : begin + size].decode("utf-16-be"))
    return found[FAMILY_NAME]


def _character_map(data: bytes, at: int) -> dict[int, int]:
    (count,) = struct.unpack_from(">H", data, at + 2)
    places = {}
    for index in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", data, at + 4 + 8 * index)
        places[platform, encoding] = at + offset
    for kind in WINDOWS_UNICODE:
        if kind in places:
            (form,) = struct.unpack_from(">H", data, places[kind])
            if form in (4, 12):
                return (_segments if form == 4 else _groups)(data, places[kind])
    raise KeyError("no Unicode character map")


def _groups(data: bytes, at: int) -> dict[int, int]:
    """Format 12 of the OpenType specification's cmap table."""
    (count,) = struct.unpack_from(">I", data, at + 12)
    found = {}
    for index in range(count):
        first, last, glyph = struct.unpack_from(">III", data, at + 16 + 12 * index)
        for code in range(first, min(last, first + 0x10000) + 1):
            found[code] = glyph + code - first
    return found


def _segments(data: bytes, at: int) -> dict[int, int]:
    """Format 4 of the OpenType specification's cmap table."""
    double = struct.unpack_from(">H", data, at + 6)[0]
    words = (data, ">u2", double // 2)
    ends: NDArray[np.uint16] = np.frombuffer(*words, at + 14)
    starts, deltas, ranges = (
        np.frombuffer(*words, at + 16 + double * step).astype(int) for step in (1, 2, 3)
    )
    found = {}
    for index, (start, end) in enumerate(zip(starts, ends.astype(int), strict=True)):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if ranges[index]:
                place = at + 16 + double * 3 + index * 2 + ranges[index] + 2 * (code - start)
                (glyph,) = struct.unpack_from(">H", data, place)
            if glyph or not ranges[index]:
                found[code] = int(glyph + deltas[index]) & 0xFFFF
    return found


@dataclass
class Typecase:
    """The fonts of one render, with those of the machine that it had to borrow."""

    borrowed: dict[str, Font]
    missing: set[str]
    replaced: dict[str, str]

    @classmethod
    def new(cls) -> "Typecase":
        """Only our own fonts so far."""
        return cls({}, set(), {})

    def runs(self, text: str, *, bold: bool = True) -> list[Run]:
        """The text as runs of one font each; characters that no font has are left out and noted."""
        found: list[Run] = []
        for char in text:
            drawn, font = self._place(char, found[-1].font if found else None, bold)
            if font is None:
                continue
            if found and found[-1].font is font:
                found[-1] = Run(found[-1].text + drawn, font)
            else:
                found.append(Run(drawn, font))
        return found

    def width(self, text: str, *, bold: bool = True) -> float:
        """How wide the text is, in ems."""
        return sum(run.font.width(run.text) for run in self.runs(text, bold=bold))

    def notes(self) -> list[str]:
        """What was not drawn with our own fonts, or not at all."""
        notes = [
            f"drawn with the font {font.family!r} of this machine, another machine may differ: "
            f"{_named(char)}"
            for char, font in sorted(self.borrowed.items())
        ]
        notes += [
            f"no font here has {_named(char)}; {instead!r} was drawn"
            for char, instead in sorted(self.replaced.items())
        ]
        if self.missing:
            listed = ", ".join(_named(char) for char in sorted(self.missing)[:20])
            notes.append(f"no font here has {listed}: drawn as a box; use other characters")
        return notes

    def used_files(self) -> list[Path]:
        """Every font file that a text may need."""
        ours = [FOLDER / name for name in (MAIN_BOLD, MAIN_REGULAR, *OTHERS)]
        return ours + sorted({font.path for font in self.borrowed.values()})

    def _place(self, char: str, last: Font | None, bold: bool) -> tuple[str, Font | None]:
        main = load_font(FOLDER / (MAIN_BOLD if bold else MAIN_REGULAR))
        code = ord(char)
        if code in VARIATIONS:
            return char, None
        if code in INVISIBLE:
            return char, last or main
        stays = last is not None and last is not main and (char == " " or code in last.widths)
        if stays and unicodedata.bidirectional(char) not in ("L", "EN"):
            # A space inside Arabic belongs to it, or words would be torn apart.
            return char, last
        for font in (main, *_others()):
            if code in font.widths:
                return char, font
        return self._borrow(char, main)

    def _borrow(self, char: str, main: Font) -> tuple[str, Font | None]:
        plain = unicodedata.normalize("NFKC", char)
        if plain != char and all(ord(one) in main.widths for one in plain):
            self.replaced[char] = plain
            return plain, main
        font = self.borrowed.get(char) or _system_font(ord(char))
        if font is not None:
            self.borrowed[char] = font
            return char, font
        self.missing.add(char)
        # A white box by intent: the reader sees that something stood here.
        return "\u25a1", load_font(FOLDER / "NotoSansSymbols2-Regular.ttf")


def _named(char: str) -> str:
    return f"U+{ord(char):04X} {unicodedata.name(char, 'without a name')}"


@cache
def _others() -> Sequence[Font]:
    return [load_font(FOLDER / name) for name in OTHERS]


@cache
def _system_font(code: int) -> Font | None:
    return next((font for font in _system_fonts() if code in font.widths), None)


@cache
def _system_fonts() -> Sequence[Font]:
    """The machine's fonts in the order of their paths; those that cannot be read are passed by."""
    paths = [p for folder in SYSTEM_FOLDERS for p in folder.rglob("*") if _is_font(p)]
    found = []
    for path in sorted(paths)[:MAX_SYSTEM_FONTS]:
        try:
            found.append(load_font(path))
        except (ValueError, UnicodeDecodeError):
            continue
    return found


def _is_font(path: Path) -> bool:
    kind = path.suffix.lower() in (".ttf", ".otf", ".ttc")
    return kind and path.is_file() and path.stat().st_size <= MAX_FONT_BYTES
