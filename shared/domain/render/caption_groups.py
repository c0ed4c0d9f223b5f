"""Splits spoken words into the few that stand on the screen together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.timeline_models import CaptionWord

MOST_WORDS = 4
MOST_CHARACTERS = 28
PAUSE_SECONDS = 0.6
# A shorter gap between words or groups would only flicker.
BRIDGE_SECONDS = 0.25
SENTENCE_ENDS = (".", "!", "?", "…", "。", "؟")


@dataclass(frozen=True)
class WordGroup:
    """Words that are shown together, from `start` until `end` seconds."""

    words: tuple[CaptionWord, ...]
    start_seconds: float
    end_seconds: float

    def moments(self) -> Iterator[tuple[float, float, int | None]]:
        """Start, end and the word being said (None: between words), without gaps or overlaps."""
        at = self.start_seconds
        for mark, word in enumerate(self.words):
            begin = max(at, word.start_seconds)
            if begin > at:
                yield at, begin, None
            later = self.words[mark + 1 :]
            until = min([word.end_seconds, self.end_seconds, *(w.start_seconds for w in later)])
            following = later[0].start_seconds if later else self.end_seconds
            if following - until < BRIDGE_SECONDS:
                until = following
            if until > begin:
                yield begin, until, mark
            at = max(begin, until)
        if self.end_seconds > at:
            yield at, self.end_seconds, None


def group_words(words: Sequence[CaptionWord]) -> list[WordGroup]:
    """Groups in order of time that do not overlap; sentences and pauses end a group."""
    groups: list[list[CaptionWord]] = []
    for word in sorted(words, key=lambda word: word.start_seconds):
        if groups and _joins(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    starts = [group[0].start_seconds for group in groups]
    found = []
    for index, group in enumerate(groups):
        following = starts[index + 1] if index + 1 < len(starts) else float("inf")
        end = max(max(word.end_seconds for word in group), group[-1].start_seconds)
        if following - end < BRIDGE_SECONDS:
            end = following
        found.append(WordGroup(tuple(group), starts[index], end))
    return found


def _joins(group: Sequence[CaptionWord], word: CaptionWord) -> bool:
    last = group[-1]
    characters = sum(len(one.text) + 1 for one in group) + len(word.text)
    return (
        len(group) < MOST_WORDS
        and characters <= MOST_CHARACTERS
        and word.start_seconds - last.end_seconds < PAUSE_SECONDS
        and not last.text.rstrip("\"'”’»)").endswith(SENTENCE_ENDS)
    )
