"""Files are judged by their first bytes, never by their names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.refusals import (
    EmptyFile,
    NotVideo,
    NoVideoStream,
    PlaylistRefused,
    TooLarge,
)
from shared.domain.video.sniff import demuxer_of, refusal_of, sniff_container
from shared.errors import Rejected
from shared.models import Limits


def refuse(tmp_path: Path, content: bytes, limits: Limits | None = None) -> Rejected:
    file = tmp_path / "holiday.mp4"
    file.write_bytes(content)
    with pytest.raises(Rejected) as refusal:
        sniff_container(file, limits or Limits())
    return refusal.value


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert type(refuse(tmp_path, b"")) is EmptyFile


def test_a_file_over_the_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    error = refuse(tmp_path, b"x" * 11, Limits(max_bytes=10))
    assert type(error) is TooLarge
    assert "11" in str(error)
    assert "10" in str(error)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
        b"\xef\xbb\xbf  #EXTM3U\nhttp://127.0.0.1/x.ts",
        b"ffconcat version 1.0\nfile other.mp4\n",
        b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">',
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b'<?xml version="1.0"?><svg></svg>',
        b"[playlist]\nFile1=http://127.0.0.1/\n",
    ],
)
def test_a_text_that_names_other_files_is_refused(tmp_path: Path, content: bytes) -> None:
    error = refuse(tmp_path, content)
    assert type(error) is PlaylistRefused
    assert error.code == "playlist_refused"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0" + bytes(50),
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        b"\x00\x00\x00\x1cftypavif" + bytes(50),
        b"PK\x03\x04" + bytes(50),
        b"MZ\x90\x00",
        b"hello",
        b"\x00" * 2000,
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    assert type(refuse(tmp_path, content)) is NotVideo


@pytest.mark.parametrize(
    "content", [b"RIFF\x10\x00\x00\x00WAVEfmt ", b"ID3\x04" + bytes(9), b"fLaC"]
)
def test_sound_alone_is_refused(tmp_path: Path, content: bytes) -> None:
    assert type(refuse(tmp_path, content)) is NoVideoStream


@pytest.mark.parametrize(
    ("head", "demuxer"),
    [
        (b"\x00\x00\x00\x18ftypisom", "mov"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "mov"),
        (b"\x1a\x45\xdf\xa3", "matroska"),
        (b"RIFF\x10\x00\x00\x00AVI LIST", "avi"),
        (b"GIF89a", "gif"),
        (b"FLV\x01", "flv"),
        (b"OggS", "ogg"),
        ((b"\x47" + bytes(187)) * 5, "mpegts"),
        ((bytes(4) + b"\x47" + bytes(187)) * 5, "mpegts"),
    ],
)
def test_containers_are_known_by_their_first_bytes(head: bytes, demuxer: str) -> None:
    assert demuxer_of(head) == demuxer


@given(st.binary(max_size=1024))
def test_any_bytes_give_a_demuxer_or_a_refusal(head: bytes) -> None:
    assert demuxer_of(head) or isinstance(refusal_of(head), Rejected)
