"""The hook's score from its signals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.video.hook import (
    GOOD_SCORE,
    WEIGHTS,
    Signal,
    contrast_signal,
    cut_signal,
    face_signal,
    motion_signal,
    score_hook,
    sound_signal,
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
    assert sum(hook.contributions.values()) == pytest.approx(hook.hook_score, abs=1e-3)
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
        "sound": Signal(0.0, 2.4, "let the sound start at once"),
        "faces": Signal(0.0, 1.0, "show a face"),
        "motion": Signal(0.1, 0.0, "move"),
    }
    suggestions = score_hook(signals).optimization_suggestions
    assert suggestions[0].startswith("At 1.0 s: show a face (faces: 0.00 of 1 now")
    assert any(s.startswith("At 2.4 s: let the sound") and "(sound:" in s for s in suggestions)


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
    assert contrast_signal([64.0, 64.0]).value == 1.0
    assert contrast_signal([0.0]).value == 0.0


def test_no_suggestion_points_beyond_the_end_of_a_short_video() -> None:
    dull = {"motion": Signal(0.0, 3.0, "move"), "cuts": Signal(0.0, 1.5, "cut")}
    suggestions = score_hook(dull, 0.8).optimization_suggestions
    assert [suggestion[:9] for suggestion in suggestions] == ["At 0.8 s:", "At 0.8 s:"]
