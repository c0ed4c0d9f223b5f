"""Overlays, captions and the end card as events of one ASS document."""

from collections.abc import Iterator, Sequence

from shared.domain.render.ass import Event, box, colour, style_runs, write_document
from shared.domain.render.caption_groups import group_words
from shared.domain.render.fonts import Typecase
from shared.domain.render.frames import FramePlan, frame_range
from shared.domain.render.grading import luma_of
from shared.domain.render.typesetting import LEGIBLE, Line, Setting, Typesetter, Word, paragraphs_of
from shared.timeline_models import Captions, EndCard, TextOverlay, Timeline

LARGEST = {"hook": 0.1, "headline": 0.085, "cta": 0.085, "other": 0.075}
# Words on a plain colour are all that is seen.
CARD_SCALE = 1.45
CAPTION_LARGEST = 0.072
OUTLINE = 0.07
PADDING = 0.75
CORNER = 0.35
DARK, LIGHT = "#101010", "#FFFFFF"
UNDERLAY, LETTERS = 0, 2
TOO_SMALL = 0.02


class Letterer:
    """Sets every text of a timeline and keeps what has to be said about it."""

    def __init__(self, timeline: Timeline, plan: FramePlan) -> None:
        self._timeline, self._plan = timeline, plan
        self._short = min(timeline.width, timeline.height)
        self.fonts = Typecase.new()
        self._bold = Typesetter(self.fonts)
        self._regular = Typesetter(self.fonts, bold=False)
        self._notes: list[str] = []

    def document(self) -> str | None:
        """The ASS document, None when there is nothing to write."""
        events = [*self._overlays(), *self._captions(), *self._card()]
        if not events:
            return None
        size = (self._timeline.width, self._timeline.height)
        return write_document(events, size, self._timeline.fps)

    def notes(self) -> list[str]:
        """What was drawn otherwise than asked."""
        return [*self._notes, *self.fonts.notes()]

    def _overlays(self) -> Iterator[Event]:
        for overlay in self._timeline.overlays:
            yield from self._overlay(overlay)

    def _overlay(self, overlay: TextOverlay) -> Iterator[Event]:
        span = self._span(overlay.start_seconds, overlay.end_seconds)
        area = self._area(overlay.left, overlay.top, overlay.width, overlay.height)
        pad = PADDING * self._short * LEGIBLE if overlay.background else 0.0
        room = (area[2] - 2 * pad, area[3] - 2 * pad)
        plain = self._plain_under(span)
        most = self._pixels(LARGEST[overlay.role] * (CARD_SCALE if any(plain) else 1.0))
        setting = self._fit(self._bold, paragraphs_of(overlay.text), room, most)
        if not setting.lines:
            return
        seconds = (overlay.end_seconds - overlay.start_seconds) / 2
        fade = round(1000 * min(overlay.fade_seconds, seconds))
        tags = f"{{\\fad({fade},{fade})}}" if fade else ""
        if overlay.background:
            wide, high = setting.width + 2 * pad, setting.height + pad
            left, top = area[0] + (area[2] - wide) / 2, area[1] + (area[3] - high) / 2
            shape = box(left, top, wide, high, CORNER * setting.em)
            yield Event(UNDERLAY, *span, f"{tags}{{\\1c{colour(overlay.background)}}}{shape}")
        look = self._look(
            overlay.color, setting.em, boxed=all(plain) or overlay.background is not None
        )
        yield from self._lines(setting, area, span, tags + look)

    def _plain_under(self, span: tuple[int, int]) -> list[bool]:
        """Of each clip under a text whether it is nothing but plain colour."""
        return [
            part.clip.source is None
            for part in self._plan.parts
            if part.first < span[1] and part.first + part.frames > span[0]
        ]

    def _captions(self) -> Iterator[Event]:
        captions = self._timeline.captions
        if captions is None:
            return
        area = self._area(captions.left, captions.top, captions.width, captions.height)
        for group in group_words(captions.words):
            words = [
                Word(piece.text, mark)
                for mark, word in enumerate(group.words)
                for paragraph in paragraphs_of(word.text)
                for piece in paragraph
            ]
            if not words:
                continue
            setting = self._fit(
                self._bold, [words], (area[2], area[3]), self._pixels(CAPTION_LARGEST)
            )
            for start, end, mark in group.moments():
                span = self._span(start, end)
                yield from self._spoken(captions, setting, area, span, mark)

    def _spoken(
        self,
        captions: Captions,
        setting: Setting,
        area: tuple[float, float, float, float],
        span: tuple[int, int],
        mark: int | None,
    ) -> Iterator[Event]:
        look = self._look(captions.color, setting.em, boxed=False)
        yield from self._lines(setting, area, span, look, (mark, captions))

    def _card(self) -> Iterator[Event]:
        card = self._timeline.end_card
        if card is None or not self._plan.card:
            return
        span = (self._plan.body, self._plan.total)
        rows = (
            (card.brand, 0.0, 0.13, 0.06, self._regular),
            (card.headline, 0.15, 0.43, 0.1, self._bold),
            (card.landing, 0.87, 0.13, 0.05, self._regular),
        )
        for text, top, height, largest, setter in rows:
            area = self._card_area(card, top, height)
            paragraphs = paragraphs_of(text)
            if paragraphs:
                setting = self._fit(setter, paragraphs, (area[2], area[3]), self._pixels(largest))
                look = f"{{\\1c{colour(card.color)}\\bord0}}"
                yield from self._lines(setting, area, span, look, bold=setter is self._bold)
        yield from self._button(card, span)

    def _card_area(
        self, card: EndCard, top: float, height: float
    ) -> tuple[float, float, float, float]:
        """A row of the card's rectangle, in pixels; `top` and `height` are shares of it."""
        return self._area(card.left, card.top + top * card.height, card.width, height * card.height)

    def _button(self, card: EndCard, span: tuple[int, int]) -> Iterator[Event]:
        area = self._card_area(card, 0.62, 0.2)
        pad = area[3] * 0.2
        room = (area[2] - 4 * pad, area[3] - 2 * pad)
        setting = self._fit(self._bold, paragraphs_of(card.cta), room, self._pixels(0.08))
        if not setting.lines:
            return
        wide = min(area[2], max(setting.width + 4 * pad, area[2] / 2))
        high = min(area[3], setting.height + 2 * pad)
        left, top = area[0] + (area[2] - wide) / 2, area[1] + (area[3] - high) / 2
        shape = box(left, top, wide, high, high / 4)
        yield Event(UNDERLAY, *span, f"{{\\1c{colour(card.button)}}}{shape}")
        look = f"{{\\1c{colour(card.button_text)}\\bord0}}"
        yield from self._lines(setting, area, span, look)

    def _lines(
        self,
        setting: Setting,
        area: tuple[float, float, float, float],
        span: tuple[int, int],
        look: str,
        spoken: tuple[int | None, Captions] | None = None,
        *,
        bold: bool = True,
    ) -> Iterator[Event]:
        """One event a line, each in the middle of its box."""
        left, top, width, height = area
        first = top + (height - setting.height) / 2 + setting.line_height / 2
        for index, line in enumerate(setting.lines):
            y = first + index * setting.line_height
            place = f"{{\\an5\\pos({left + width / 2:.1f},{y:.1f})}}"
            body = self._body(line, setting.em, spoken, bold)
            yield Event(LETTERS, *span, f"{place}{look}{body}")

    def _body(
        self, line: Line, em: int, spoken: tuple[int | None, Captions] | None, bold: bool
    ) -> str:
        if spoken is None:
            text = " ".join(word.text for word in line)
            return style_runs(self.fonts.runs(text, bold=bold), em)
        mark, captions = spoken
        words = []
        for word in line:
            tint = captions.highlight if word.mark == mark else captions.color
            runs = style_runs(self.fonts.runs(word.text, bold=bold), em)
            words.append(f"{{\\1c{colour(tint)}}}{runs}")
        return " ".join(words)

    def _fit(
        self,
        setter: Typesetter,
        paragraphs: Sequence[Sequence[Word]],
        room: tuple[float, float],
        most: int,
    ) -> Setting:
        setting = setter.fit(paragraphs, room, most, self._pixels(LEGIBLE))
        if setting.lines and setting.em < TOO_SMALL * self._short:
            text = " ".join(word.text for words in paragraphs for word in words)
            self._notes.append(
                f"{text[:40]!r} is {setting.em} pixels high to fit its box: hard to read; "
                "shorten it or enlarge its box"
            )
        return setting

    def _look(self, tint: str, em: int, *, boxed: bool) -> str:
        edge = DARK if luma_of(tint) > 0.45 else LIGHT
        width = 0.0 if boxed else max(1.0, OUTLINE * em)
        return f"{{\\1c{colour(tint)}\\3c{colour(edge)}\\bord{width:.1f}}}"

    def _span(self, start: float, end: float) -> tuple[int, int]:
        first, last = frame_range(start, end, self._timeline.fps)
        return first, min(last, self._plan.total)

    def _area(
        self, left: float, top: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """A box in pixels, inside the picture."""
        w, h = self._timeline.width, self._timeline.height
        return left * w, top * h, min(width, 1 - left) * w, min(height, 1 - top) * h

    def _pixels(self, share: float) -> int:
        return max(4, round(share * self._short))
