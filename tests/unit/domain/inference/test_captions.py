"""Captions of users: whatever programs write is understood, what cannot be is named by line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inference.captions import (
    MAX_BYTES,
    CaptionsInvalid,
    parse_captions,
    read_captions,
)

SRT = """1
00:00:01,000 --> 00:00:02,000
Stop scrolling!

2
00:00:02,500 --> 00:00:04,000
<i>This</i> {\\an8}changes
everything &amp; more.
"""
VTT = """WEBVTT - made by hand
Language: en

NOTE
00:00:09.000 --> is only talked about here

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.000 align:start position:10%
<v Ann>Stop <00:01.500><c.loud>scrolling!</c>

00:00:02.500 --> 00:00:04.000
This changes
everything &amp; more.
"""


def words(text: str) -> list[str]:
    return [word.word for word in parse_captions(text.encode(), "ad.srt").words]


@pytest.mark.parametrize("text", [SRT, VTT])
def test_both_formats_give_the_same_words(text: str) -> None:
    """Tags, entities, names of speakers and positions are no words."""
    expected = ["Stop", "scrolling!", "This", "changes", "everything", "&", "more."]
    assert words(text) == expected
    first = parse_captions(text.encode(), "ad").words[0]
    assert (first.start_seconds, first.confidence) == (1.0, 1.0)


def test_a_caption_is_shared_by_the_length_of_its_words() -> None:
    """The first word begins it, the last one ends it."""
    told = parse_captions(SRT.encode(), "ad.srt").words
    assert told[0].end_seconds == told[1].start_seconds == pytest.approx(1 + 5 / 16, abs=0.001)
    assert told[1].end_seconds == 2.0


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + SRT.encode(),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
        SRT.encode("utf-16"),
        SRT.replace(",", ".").encode(),
        SRT.replace("\n\n2\n", "\n2\n").encode(),
    ],
    ids=["byte order mark", "Windows", "old Mac", "utf-16", "points", "no empty line"],
)
def test_what_programs_do_to_files_is_put_up_with(data: bytes) -> None:
    """The words stay the same."""
    assert parse_captions(data, "ad.srt").words == parse_captions(SRT.encode(), "ad.srt").words


def test_letters_of_old_windows_programs_are_read() -> None:
    """Not UTF-8: taken for Windows' Western letters."""
    cue = "00:00:01,000 --> 00:00:02,000\nCafé Größe"
    assert [w.word for w in parse_captions(cue.encode("cp1252"), "ad.srt").words] == [
        "Café",
        "Größe",
    ]


def test_captions_in_the_wrong_order_are_sorted_and_overlaps_cut() -> None:
    """Words come in order of time and never overlap."""
    text = "00:00:05,000 --> 00:00:06,000\nlast\n\n00:00:01,000 --> 00:00:05,500\nfirst one"
    told = parse_captions(text.encode(), "ad.srt").words
    assert [word.word for word in told] == ["first", "one", "last"]
    assert told[1].end_seconds <= told[2].start_seconds


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1\n00:00:01,000 -> 00:00:02,000\nx", "has no caption"),
        ("\n\n00:00:0x,000 --> 00:00:02,000\nx", "line 3"),
        ("00:00:03,000 --> 00:00:02,000\nx", "line 1.*ends before it starts"),
        ("", "has no caption"),
    ],
)
def test_what_cannot_be_understood_is_named(text: str, line: str) -> None:
    """With the line, and what was expected."""
    with pytest.raises(CaptionsInvalid, match=line):
        parse_captions(text.encode(), "ad.srt")


def test_a_video_given_as_captions_is_refused() -> None:
    """Bytes that are no text."""
    with pytest.raises(CaptionsInvalid, match="is no text"):
        parse_captions(b"\x00\x00\x00\x18ftypmp42", "ad.mp4")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """By its size."""
    file = tmp_path / "huge.srt"
    with file.open("wb") as opened:
        opened.truncate(MAX_BYTES + 1)
    with pytest.raises(CaptionsInvalid, match="bytes"):
        read_captions(file)


def test_ten_thousand_captions_are_read_at_once() -> None:
    """A long film, in order."""
    cues = [
        f"{i}\n{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02},000 --> "
        f"{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02},900\nword{i}"
        for i in range(10_000)
    ]
    told = words("\n\n".join(cues))
    assert (len(told), told[-1]) == (10_000, "word9999")


@given(st.binary(max_size=400) | st.text(max_size=300).map(str.encode))
def test_any_bytes_give_words_or_a_reason(data: bytes) -> None:
    """Never another error."""
    try:
        told = parse_captions(data, "ad.srt").words
    except CaptionsInvalid:
        return
    assert all(word.start_seconds <= word.end_seconds for word in told)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 80)), min_size=1, max_size=20))
def test_words_never_run_backwards(spans: list[tuple[int, int]]) -> None:
    """Whatever the order and overlap of the captions."""
    cues = [
        f"00:{start // 60:02}:{start % 60:02},000 --> "
        f"00:{(start + length) // 60:02}:{(start + length) % 60:02},000\nsome words"
        for start, length in spans
    ]
    starts = [word.start_seconds for word in parse_captions("\n\n".join(cues).encode(), "x").words]
    assert len(starts) == 2 * len(spans)
    assert starts == sorted(starts)
