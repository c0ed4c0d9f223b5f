"""Words from a caption file of the user's, SubRip (.srt) or WebVTT (.vtt)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from shared.errors import Rejected
from shared.inference_models import Transcript, Word

SOURCE = "captions"
MAX_BYTES = 20_000_000
MAX_SECONDS = 100 * 3600.0
# SubRip writes 00:01:02,500, WebVTT 00:01:02.500 or 01:02.500; people write all of them.
CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
ARROW = re.compile(rf"^\s*{CLOCK}\s*-->\s*{CLOCK}(?:\s+.*)?$")
TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{0,200}\}")
LANGUAGE = re.compile(r"^Language:\s*([A-Za-z]{2,3})\b")
NO_TEXT = ("NOTE", "STYLE", "REGION")


class CaptionsInvalid(Rejected):
    """A file of captions that cannot be understood; the message names the line."""


@dataclass(frozen=True)
class Cue:
    """A caption: from when to when, and its text in one line."""

    start_seconds: float
    end_seconds: float
    text: str


def read_captions(file: Path) -> Transcript:
    """The words of a caption file; raises CaptionsInvalid."""
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise CaptionsInvalid(
            f"{file.name!r} has {size:,} bytes; captions of at most {MAX_BYTES:,} are taken"
        )
    return parse_captions(file.read_bytes(), file.name)


def parse_captions(data: bytes, name: str) -> Transcript:
    """The words of captions, in order of time; a caption's time is shared by word length.

    Raises CaptionsInvalid, naming the line, when there is no caption or one that cannot be read.
    """
    lines = _decode(data, name).splitlines()
    cues = sorted(_cues(lines, name), key=lambda cue: (cue.start_seconds, cue.end_seconds))
    if not cues:
        raise CaptionsInvalid(
            f"{name!r} has no caption; expected lines like `00:00:01,000 --> 00:00:02,500` "
            "(SubRip or WebVTT), each with its text below"
        )
    words: list[Word] = []
    done = 0.0
    for cue, after in zip(cues, [*cues[1:], None], strict=True):
        # Captions that overlap follow one another in what is said.
        end = cue.end_seconds
        if after is not None and cue.start_seconds < after.start_seconds < end:
            end = after.start_seconds
        begin = max(cue.start_seconds, done)
        done = max(begin, end)
        words += _spread(cue.text, begin, done)
    language = next((m[1].lower() for line in lines[:20] if (m := LANGUAGE.match(line))), "")
    return Transcript(language=language, source=SOURCE, words=tuple(words))


def _decode(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data:
        raise CaptionsInvalid(f"{name!r} is no text; save the captions as UTF-8 .srt or .vtt")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Windows programs wrote before UTF-8.
        return data.decode("cp1252", errors="replace")


def _cues(lines: list[str], name: str) -> Iterator[Cue]:
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        number += 1
        if line.startswith(NO_TEXT) and "-->" not in line:
            while number < len(lines) and lines[number].strip():
                number += 1
            continue
        if "-->" not in line:
            continue
        start, end = _times(line, number, name)
        text: list[str] = []
        while number < len(lines) and lines[number].strip() and "-->" not in lines[number]:
            text.append(lines[number])
            number += 1
        # Without an empty line between them, the number of the next caption is no text.
        if number < len(lines) and "-->" in lines[number] and text and text[-1].strip().isdigit():
            text.pop()
        plain = " ".join(unescape(TAG.sub("", " ".join(text))).split())
        if plain:
            yield Cue(start, end, plain)


def _times(line: str, number: int, name: str) -> tuple[float, float]:
    found = ARROW.match(line)
    if found is None:
        raise CaptionsInvalid(
            f"{name!r}, line {number}: {line[:80]!r} is no time; "
            "expected `00:00:01,000 --> 00:00:02,500`"
        )
    start, end = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
    if end < start or end > MAX_SECONDS:
        raise CaptionsInvalid(
            f"{name!r}, line {number}: {line[:80]!r} ends before it starts or after 100 hours; "
            "exchange or correct the times"
        )
    return start, end


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = parts
    whole = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0)
    return whole + int((fraction or "0").ljust(3, "0")) / 1000


def _spread(text: str, begin_seconds: float, end_seconds: float) -> list[Word]:
    """The words of a caption, each as long as its share of the letters."""
    words = text.split()
    total = sum(len(word) + 1 for word in words)
    length = end_seconds - begin_seconds
    found, done = [], 0
    for word in words:
        start = begin_seconds + length * done / total
        done += len(word) + 1
        end = begin_seconds + length * done / total
        found.append(
            Word(
                word=word, start_seconds=round(start, 3), end_seconds=round(end, 3), confidence=1.0
            )
        )
    return found
