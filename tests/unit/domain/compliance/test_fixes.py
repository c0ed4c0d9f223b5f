"""Automatic fixes: pure, valid, and None where a new render would change nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compliance_models import Finding
from shared.domain.compliance.fixes import FIXES, Rect, apply_fix, fix_safe_zone
from shared.timeline_models import (
    Captions,
    CropKey,
    EndCard,
    Logo,
    TextOverlay,
    Timeline,
    TransitionIn,
)
from tests.unit.domain.compliance.records import FINE, timeline

ZONE = "0.14,0.35,0.06,0.06"


def mended(fix: str, before: Timeline) -> Timeline | None:
    """What `apply_fix` makes of a finding with this fix."""
    return apply_fix(
        before,
        Finding(rule="x", grade="fail", found="", expected="", automatic_fix=fix, source=""),
    )


def test_a_size_is_changed_and_crops_take_its_shape() -> None:
    """The middle of a crop stays, its shape follows, and it stays within the source."""
    clip = (
        timeline()
        .clips[0]
        .model_copy(
            update={"crop": (CropKey(at_seconds=0, left=0.6, top=0, width=0.31640625, height=1),)}
        )
    )
    after = mended("size=1080x1080", timeline(clips=(clip,)))
    assert after is not None
    assert (after.width, after.height) == (1080, 1080)
    key = after.clips[0].crop[0]
    assert key.width * 1920 / (key.height * 1080) == pytest.approx(1.0)
    assert key.left + key.width / 2 == pytest.approx(0.6 + 0.31640625 / 2)


def test_a_long_video_loses_whole_clips_and_keeps_its_call() -> None:
    """The first clip stays; what was shown later goes, but the call to act comes earlier."""
    after = mended("length=22", timeline())
    assert after is not None
    assert [clip.end_seconds for clip in after.clips] == [10.0, 20.0]
    hook, call = after.overlays
    assert hook.text == "Tired of walls?"
    assert (call.start_seconds, call.end_seconds) == (17.0, 20.0)
    assert after.captions is not None
    assert after.captions.words[-1].start_seconds < 20.0


def test_one_clip_that_is_too_long_cannot_be_shortened() -> None:
    """Cutting into it may cut a word; that is for people."""
    assert mended("length=5", timeline()) is None


def test_the_end_card_stays_when_clips_go() -> None:
    """And counts in the length."""
    before = timeline(end_card=EndCard(cta="Go", background="#112233"))
    after = mended("length=22", before)
    assert after is not None
    assert after.end_card == before.end_card
    assert after.seconds == pytest.approx(12.5)


@pytest.mark.parametrize(
    ("fix", "changed"),
    [
        ("loudness=-16", lambda t: t.sound.loudness_lufs == -16),
        ("true_peak=-3", lambda t: t.sound.true_peak_db == -3),
        ("frame_rate=25", lambda t: t.fps == 25),
        ("crf=-6", lambda t: t.encoding.crf == 15),
        ("video_kbps=620", lambda t: t.encoding.video_kbps == 620),
        ("crf=+4", lambda t: t.encoding.crf == 25),
        ("audio_kbps=192", lambda t: t.encoding.audio_kbps == 192),
        ("end_card", lambda t: t.end_card.cta == "Go out"),
        (f"safe_zone={ZONE}", lambda t: t.overlays[0].top == pytest.approx(0.14)),
    ],
)
def test_a_fix_changes_what_it_names(fix: str, changed: object) -> None:
    """One field each, and the timeline given stays as it was."""
    before = timeline()
    kept = before.model_dump_json()
    after = mended(fix, before)
    assert callable(changed)
    assert after is not None
    assert changed(after)
    assert before.model_dump_json() == kept


@pytest.mark.parametrize(
    "fix",
    [
        *("", "paint=red", "loudness=-14", "true_peak=-1", "frame_rate=30", "audio_kbps=64"),
        *("size=1080x1920", "fit=blur", "crf=nonsense", "size=7", "frame_rate=9000"),
        *("trim_start=30", "safe_zone=0.6,0.6,0,0", "length=5"),
    ],
)
def test_where_a_render_mends_nothing_there_is_no_fix(fix: str) -> None:
    """Unknown, senseless, or what the timeline says already."""
    assert mended(fix, timeline()) is None


def test_bars_are_filled_and_a_black_opening_is_cut_off() -> None:
    """Padded clips become blurred ones; everything comes earlier by what is cut."""
    padded = timeline(clips=tuple(c.model_copy(update={"fit": "pad"}) for c in timeline().clips))
    filled = mended("fit=blur", padded)
    assert filled is not None
    assert {clip.fit for clip in filled.clips} == {"blur"}
    cut = mended("trim_start=0.5", timeline())
    assert cut is not None
    assert cut.seconds == pytest.approx(29.5)
    assert cut.overlays[1].start_seconds == pytest.approx(26.5)
    assert cut.captions is not None
    assert cut.captions.words[0].end_seconds == pytest.approx(0.3)


def test_an_opening_is_not_cut_into_a_transition() -> None:
    """The next clip needs its half of the first one."""
    one, two, three = timeline().clips
    short = one.model_copy(update={"end_seconds": 2.2})
    over = two.model_copy(update={"transition": TransitionIn(kind="fade", seconds=1.0)})
    assert mended("trim_start=0.5", timeline(clips=(short, over, three))) is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 0.9),
            st.floats(0, 0.9),
            st.floats(0.1, 1),
            st.floats(0.05, 0.3),
            st.booleans(),
        ),
        max_size=4,
    )
)
def test_whatever_is_moved_ends_up_inside(
    boxes: list[tuple[float, float, float, float, bool]],
) -> None:
    """Overlays, captions and logo, wherever they were."""
    overlays = tuple(
        TextOverlay(
            text="a",
            start_seconds=0 if early else 5,
            end_seconds=4 if early else 9,
            left=left,
            top=top,
            width=width,
            height=height,
        )
        for left, top, width, height, early in boxes
    )
    logo = Logo(path="l.png", left=0.9, top=0.9, width=0.2, end_seconds=9)
    after = fix_safe_zone(timeline(overlays=overlays, logo=logo), ZONE)
    assert after is not None
    assert after.captions is not None
    assert after.logo is not None
    logo_high = after.logo.width * 1080 / 1920
    placed: list[TextOverlay | Captions] = [*after.overlays, after.captions]
    rects = [(o.left, o.top, o.width, o.height) for o in placed]
    for left, top, width, height in [
        *rects,
        (after.logo.left, after.logo.top, after.logo.width, logo_high),
    ]:
        assert left >= 0.06 - 1e-6
        assert top >= 0.14 - 1e-6
        assert left + width <= 0.94 + 1e-6
        assert top + height <= 0.65 + 1e-6


def test_two_texts_at_one_moment_do_not_end_up_on_each_other() -> None:
    """Nor on the captions."""
    overlays = tuple(
        TextOverlay(text="a", start_seconds=0, end_seconds=9, top=top, height=0.1)
        for top in (0.0, 0.05, 0.9)
    )
    after = fix_safe_zone(timeline(overlays=overlays), ZONE)
    assert after is not None
    assert after.captions is not None
    placed: list[TextOverlay | Captions] = [*after.overlays, after.captions]
    rects = [Rect(o.left, o.top, o.width, o.height, 0, 9) for o in placed]
    clashes = [(a, b) for i, a in enumerate(rects) for b in rects[i + 1 :] if a.meets(b)]
    assert clashes == []


def test_every_fix_that_a_rule_names_is_known() -> None:
    """The judge and the renderer speak of the same fixes."""
    from shared.domain.compliance.bounds import automatic_fix
    from shared.domain.compliance.rulebook import Rule, rule_book

    book = rule_book()
    rules: list[Rule] = [r for p in book.placements.values() for r in p.rules]
    named = {
        automatic_fix(rule, value, "1080x1920").partition("=")[0]
        for rule in (*rules, *book.everywhere)
        for value in ((1e-3, 1e12) if isinstance(FINE.get(rule.rule), float) else ("other",))
    }
    assert named - {""} <= set(FIXES)
    assert {"size", "length", "loudness", "crf"} <= named
