"""The analysis report as people read it on a terminal."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDEST = 60
NARROWEST = 20
LABEL_COLUMNS = 14
BARS = " ▁▂▃▄▅▆▇█"

Report = Mapping[str, Any]


def show_report(console: Console, name: str, report: Report) -> None:
    """Print a report: the facts, a timeline, and what was not measured and why."""
    console.print()
    console.print(Text(name, "bold"), Text(media_words(report["media"]), "dim"))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", justify="right")
    facts.add_column()
    rows: list[tuple[str, Text]] = [
        *fact_rows(report),
        ("", Text()),
        *timeline_rows(report, columns_of(console)),
    ]
    for label, value in rows:
        facts.add_row(label, value)
    for part in report["analysers"]:
        if part["status"] != "ran":
            facts.add_row(part["name"], Text(f"{part['status']}: {part['reason']}", "yellow"))
    console.print(Padding(facts, (1, 0, 0, 2)))


def columns_of(console: Console) -> int:
    """How many columns the timeline gets on this terminal."""
    return max(NARROWEST, min(WIDEST, console.width - LABEL_COLUMNS))


def media_words(media: Report) -> str:
    """`14.0 s, 1080x1920, 30.00 fps, h264, sound`."""
    words = [
        f"{media['duration_seconds']:.1f} s",
        f"{media['width']}x{media['height']}",
        f"{media['fps']:.2f} fps{' (variable)' if media['variable_rate'] else ''}",
        media["codec"],
        "sound" if media["has_audio"] else "no sound",
    ]
    return ", ".join(words + ["HDR"] * media["hdr"])


def fact_rows(report: Report) -> Iterable[tuple[str, Text]]:
    """One row a finding: hook, shots, faces, sound."""
    hook, soft = report["hook"], len(report["transitions"]) - len(report["cuts"])
    filled = round(10 * hook["hook_score"])
    bar = "█" * filled + "░" * (10 - filled)
    yield "hook", Text(f"{bar} {hook['hook_score']:.2f} of 1, {hook['hook_type']}")
    for hint in hook["optimization_suggestions"]:
        yield "", Text(hint, "yellow")
    shots = f"{len(report['shots'])}: {len(report['cuts'])} cuts, {soft} fades and dissolves"
    yield "shots", Text(shots)
    yield "faces", Text(face_words(report["faces"]))
    yield "sound", Text(sound_words(report))
    if report.get("scores"):
        yield "score", Text(score_words(report["scores"]))
    if report.get("prediction"):
        yield "ctr", Text(prediction_words(report["prediction"]))
    if report.get("verdict"):
        yield from verdict_rows(report["verdict"])
    for line in report.get("text") or ():
        span = f"{line['start_seconds']:.1f}-{line['end_seconds']:.1f} s"
        yield "text", Text(f"{line['text']}  ({span})")
    transcript = report.get("transcript")
    if transcript:
        yield "said", Text(" ".join(word["word"] for word in transcript["words"]))
    if report.get("objects"):
        yield "objects", Text(", ".join(sorted({seen["label"] for seen in report["objects"]})))
    if report.get("audio_quality"):
        yield "quality", Text(quality_words(report["audio_quality"]))


def score_words(scores: Report) -> str:
    """The overall score, and the parts of it that are known."""
    named = ("psychology", "hook_score", "technical", "emotion", "objects", "novelty")
    known = {name: scores[name]["value"] for name in named}
    parts = [f"{n.removesuffix('_score')} {v:.2f}" for n, v in known.items() if v is not None]
    overall = scores["overall"]["value"]
    whole = "unknown" if overall is None else f"{overall:.2f} of 1"
    return f"{whole} ({', '.join(parts)})"


def prediction_words(prediction: Report) -> str:
    """What CTR is expected, how surely, and what moved it."""
    value, low, high = (f"{prediction[key]:.2%}" for key in ("value", "low", "high"))
    moved = [
        f"{mover['feature'].replace('_', ' ')} {mover['effect']:+.2%}"
        for mover in prediction["movers"][:3]
    ]
    words = f"{value} expected, {low} to {high}, confidence {prediction['confidence']:.2f}"
    return f"{words}; {', '.join(moved)}" if moved else words


def verdict_rows(verdict: Report) -> Iterable[tuple[str, Text]]:
    """The council's overall score, what it likes and misses, and who did not judge."""
    yield (
        "verdict",
        Text(f"{verdict['overall']:.0f} of 100, confidence {verdict['confidence']:.2f}"),
    )
    for sign, key in (("+", "strengths"), ("-", "weaknesses")):
        if verdict[key]:
            yield "", Text(f"{sign} {', '.join(verdict[key][:3])}")
    if verdict["note"]:
        yield "", Text(verdict["note"], "dim")


def face_words(faces: Report) -> str:
    """How much of the video shows faces."""
    if faces["share"] is None:
        return "not measured"
    if not faces["max_count"]:
        return "none seen"
    return (
        f"{faces['share']:.0%} of the time, at most {faces['max_count']} at once, "
        f"engagement {faces['engagement']:.2f}"
    )


def sound_words(report: Report) -> str:
    """Tempo, loudness, speech and how well cuts and beats meet."""
    if not report["media"]["has_audio"]:
        return "none"
    audio, sync = report["audio"], report["audio"]["sync"]
    spoken = sum(part["end_seconds"] - part["start_seconds"] for part in audio["speech"])
    tempo, loudness = audio["tempo_bpm"], audio["loudness_lufs"]
    words = [
        f"{tempo:.0f} bpm" if tempo else "no steady beat",
        f"{loudness:.1f} LUFS" if loudness is not None else "silent",
        f"{spoken:.1f} s of speech",
    ]
    if sync["sync_quality"] is not None:
        words.append(f"{sync['beat_matches']} beats on cuts or motion peaks")
    return ", ".join(words)


def quality_words(quality: Report) -> str:
    """Clipping, noise and reverberation, as far as they could be told."""
    words = [f"{quality['clipped_share']:.2%} clipped"]
    if quality["snr_db"] is not None:
        words.append(f"speech {quality['snr_db']:.0f} dB over noise")
    if quality["reverberation_seconds"] is not None:
        words.append(f"reverberation {quality['reverberation_seconds']:.1f} s")
    return ", ".join(words)


def timeline_rows(report: Report, width: int) -> Iterable[tuple[str, Text]]:
    """Shots, motion, faces, speech and beats over the length of the video, `width` columns."""
    end = report["media"]["duration_seconds"] or 1.0

    def column(at_seconds: float) -> int:
        return min(width - 1, max(0, int(width * at_seconds / end)))

    audio = report["audio"]
    faces = [sample["at_seconds"] for sample in report["faces"]["samples"] if sample["boxes"]]
    yield "shots", Text(shot_line(report["shots"], column, width))
    yield "motion", Text(motion_line(report["motion_moments"], end, width), "blue")
    yield "faces", Text(mark_line(map(column, faces), "▪", width), "yellow")
    yield "speech", Text(speech_line(audio["speech"], column, width), "green")
    yield "beats", Text(mark_line(map(column, audio["beats_seconds"]), "╵", width), "red")
    yield "", Text(f"0 s{f'{end:.1f} s':>{width - 3}}", "dim")


def shot_line(shots: Sequence[Report], column: Callable[[float], int], width: int) -> str:
    """A bar where each shot begins."""
    line = ["─"] * width
    for shot in shots:
        line[column(shot["start_seconds"])] = "┃"
    return "".join(line)


def motion_line(moments: Sequence[Report], end: float, width: int) -> str:
    """Motion energy as a sparkline, relative to the strongest moment."""
    top = max((moment["motion_energy"] for moment in moments), default=0.0)
    if not top:
        return " " * width
    line = []
    for index in range(width):
        at = (index + 0.5) * end / width
        now = [m for m in moments if m["timestamp_start"] <= at < m["timestamp_end"]]
        energy = now[0]["motion_energy"] if now else 0.0
        line.append(BARS[round((len(BARS) - 1) * energy / top)])
    return "".join(line)


def speech_line(speech: Sequence[Report], column: Callable[[float], int], width: int) -> str:
    """A solid stretch where somebody speaks."""
    spoken = (range(column(s["start_seconds"]), column(s["end_seconds"]) + 1) for s in speech)
    return mark_line((index for stretch in spoken for index in stretch), "━", width)


def mark_line(columns: Iterable[int], mark: str, width: int) -> str:
    """A mark in each of the columns."""
    line = [" "] * width
    for index in columns:
        line[index] = mark
    return "".join(line)
