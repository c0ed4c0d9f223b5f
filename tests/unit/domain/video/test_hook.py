"""The hook's score from its signals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.hook import (
    GOOD_SCORE,
    WEIGHTS,
    Contrast,
    Signal,
    contrast_signal,
    cut_signal,
    face_signal,
    motion_signal,
    score_hook,
    sound_signal,
    text_signal,
)
from shared.models import Box, Faces, FaceSample, Transition

AT = [i / 30 for i in range(150)]
some_signal = st.one_of(
    st.none(),
    st.builds(Signal, value=st.floats(0, 1), at_seconds=st.floats(0, 3), advice=st.just("advice")),
)


@given(st.fixed_dictionaries(dict.fromkeys(WEIGHTS, some_signal)))
def test_the_score_is_the_sum_of_its_parts_and_stays_in_range(
    signals: dict[str, Signal | None],
) -> None:
    if all(signal is None for signal in signals.values()):
        return
    hook = score_hook(signals)
    assert 0 <= hook.hook_score <= 1
    assert sum(hook.contributions.values()) == pytest.approx(hook.hook_score, abs=1e-9)
    assert all(part >= 0 for part in hook.contributions.values())
    assert set(hook.contributions) == {name for name, s in signals.items() if s is not None}
    if hook.hook_score >= GOOD_SCORE:
        assert hook.optimization_suggestions == ()


def test_all_signals_at_full_make_a_perfect_hook() -> None:
    full = {name: Signal(1.0, 0.0, "") for name in WEIGHTS}
    assert score_hook(full).hook_score == 1.0


def test_an_unmeasured_signal_is_no_zero() -> None:
    signals: dict[str, Signal | None] = {name: Signal(0.8, 0.0, "") for name in WEIGHTS}
    whole = score_hook(signals).hook_score
    assert score_hook({**signals, "faces": None}).hook_score == pytest.approx(whole)


def test_suggestions_name_the_second_and_the_signal() -> None:
    signals = {name: Signal(0.9, 0.0, "") for name in WEIGHTS} | {
        "sound": Signal(0.0, 2.4, "only here is something heard. Start at once"),
        "faces": Signal(0.0, 1.0, "nobody is to be seen. Show a face"),
        "motion": Signal(0.1, 0.0, "move"),
    }
    suggestions = score_hook(signals).optimization_suggestions
    assert suggestions == (
        "Faces, at 1.0 s: nobody is to be seen. Show a face (up to +0.22).",
        "Motion, at 0.0 s: move (up to +0.20).",
        "Sound, at 2.4 s: only here is something heard. Start at once (up to +0.13).",
    )


def test_nothing_at_all_has_no_hook_type() -> None:
    assert score_hook({name: Signal(0.0, 0.0, "") for name in WEIGHTS}).hook_type == "none"


def test_movement_from_the_start_beats_movement_later() -> None:
    early, late = np.zeros(150), np.zeros(150)
    early[:60], late[60:120] = 3.0, 3.0
    assert motion_signal(early, AT).value > motion_signal(late, AT).value
    assert motion_signal(late, AT).at_seconds == pytest.approx(2.0)
    assert motion_signal(np.zeros(150), AT).value == 0


def test_only_cuts_of_the_first_three_seconds_count() -> None:
    def cut(frame: int) -> Transition:
        return Transition(kind="cut", start_frame=frame, end_frame=frame)

    assert cut_signal((), AT).value == 0
    assert cut_signal((cut(100),), AT).value == 0
    assert 0.6 < cut_signal((cut(30),), AT).value < cut_signal((cut(30), cut(60)), AT).value


def test_faces_that_were_not_measured_give_no_signal() -> None:
    unknown = Faces(share=None, max_count=None, engagement=None, samples=())
    assert face_signal(unknown, 0.0) is None


def test_the_face_signal_is_the_share_of_early_samples() -> None:
    box = Box(left=0.0, top=0.0, width=0.5, height=0.5)
    samples = tuple(
        FaceSample(frame=i, at_seconds=i / 2, boxes=(box,) if i < 3 else ()) for i in range(10)
    )
    signal = face_signal(Faces(share=0.3, max_count=1, engagement=None, samples=samples), 0.0)
    assert signal is not None
    assert signal.value == pytest.approx(0.5)
    assert signal.at_seconds == 1.5


def test_sound_that_comes_late_scores_less() -> None:
    loud = np.full(16_000 * 4, 0.5, np.float32)
    late = np.concatenate([np.zeros(16_000, np.float32), loud])
    at_once, after = sound_signal(loud, 0.0), sound_signal(late, 0.0)
    assert at_once is not None
    assert after is not None
    assert at_once.value == 1.0
    assert after.value == pytest.approx(2 / 3, abs=0.02)
    assert sound_signal(None, 0.0) is None


def test_no_sound_at_all_scores_zero() -> None:
    silent = sound_signal(np.zeros(0, np.float32), 0.0)
    assert silent is not None
    assert silent.value == 0


def test_contrast_is_full_at_64_levels_of_deviation() -> None:
    assert contrast_signal([Contrast(0.0, 64.0), Contrast(1.0, 64.0)]).value == 1.0
    assert contrast_signal([Contrast(0.0, 0.0)]).value == 0.0


def test_the_contrast_signal_points_at_the_flattest_frame() -> None:
    contrasts = [Contrast(0.0, 30.0), Contrast(0.7, 3.0), Contrast(2.0, 20.0)]
    assert contrast_signal(contrasts).at_seconds == 0.7


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(0, 4)).map(sorted), max_size=6).map(sorted))
def test_text_counts_once_however_many_stretches_show_it(stretches: list[list[float]]) -> None:
    signal = text_signal([(start, end) for start, end in stretches])
    assert signal is not None
    step = 0.001
    shown = sum(any(a <= i * step < b for a, b in stretches) for i in range(3000)) * step / 3
    assert signal.value == pytest.approx(shown, abs=0.005)


def test_text_points_at_the_first_second_without_it() -> None:
    late, gone = text_signal([(1.0, 3.0)]), text_signal([(0.0, 0.8)])
    assert late is not None
    assert gone is not None
    assert (late.at_seconds, gone.at_seconds) == (0.0, 0.8)
    assert text_signal(None) is None


def test_every_advice_is_a_sentence_that_says_what_to_do() -> None:
    """What is wrong, then what to do, in small letters first and without a full stop."""
    bare = Faces(
        share=0.0,
        max_count=0,
        engagement=0.0,
        samples=(FaceSample(frame=0, at_seconds=0.0, boxes=()),),
    )
    still, late = np.zeros(150), np.zeros(150)
    late[60:] = 2.0
    signals = [
        motion_signal(still, AT),
        motion_signal(late, AT),
        motion_signal(np.full(150, 1.2), AT),
        cut_signal((), AT),
        face_signal(bare, 0.0),
        contrast_signal([Contrast(0.0, 5.0)]),
        sound_signal(np.zeros(0, np.float32), 0.0),
        sound_signal(np.full(16_000, 0.5, np.float32), 2.0),
        text_signal([]),
    ]
    advices = {signal.advice for signal in signals if signal is not None}
    assert len(advices) == len(signals)
    for advice in advices:
        problem, what_to_do = advice.split(". ")
        assert problem[0].islower()
        assert what_to_do[0].isupper()
        assert not what_to_do.endswith(".")


def test_no_suggestion_points_beyond_the_end_of_a_short_video() -> None:
    dull = {"motion": Signal(0.0, 3.0, "move"), "cuts": Signal(0.0, 1.5, "cut")}
    suggestions = score_hook(dull, 0.8).optimization_suggestions
    assert len(suggestions) == 2
    assert all("at 0.8 s:" in suggestion for suggestion in suggestions)
