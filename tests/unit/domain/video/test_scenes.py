"""Transitions of thumbnails that are drawn here, so that every frame number is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.video.pictures import Look
from shared.domain.video.scenes import SceneDetector, find_transitions, shots_between
from shared.models import Transition

FPS = 30.0
Thumbs = NDArray[np.uint8]


def shot(seed: int) -> NDArray[np.float64]:
    """One thumbnail of soft blobs with texture; another seed is another scene."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(40, 215, (3, 4, 6))
    coarse[1:] = 128 + (coarse[1:] - 128) * 0.4
    return np.asarray(coarse[:, np.arange(27) * 4 // 27][:, :, np.arange(48) * 6 // 48])


def clip(*parts: list[NDArray[np.float64]]) -> Thumbs:
    """Parts one after the other, with a little noise as every camera has it."""
    frames = np.stack([frame for part in parts for frame in part])
    noise = np.random.default_rng(0).normal(0, 1.0, frames.shape)
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


def hold(seed: int, count: int) -> list[NDArray[np.float64]]:
    return [shot(seed)] * count


def blend(
    first: NDArray[np.float64], last: NDArray[np.float64], count: int
) -> list[NDArray[np.float64]]:
    """`count` frames strictly between the two."""
    return [first + (last - first) * (i + 1) / (count + 1) for i in range(count)]


def black() -> NDArray[np.float64]:
    return np.stack([np.full((27, 48), 16.0), np.full((27, 48), 128.0), np.full((27, 48), 128.0)])


def cuts_of(transitions: tuple[Transition, ...]) -> list[int]:
    return [t.start_frame for t in transitions if t.kind == "cut"]


def test_hard_cuts_are_found_to_the_frame() -> None:
    found = find_transitions(clip(hold(1, 20), hold(2, 35), hold(3, 12)), FPS)
    assert [(t.kind, t.start_frame, t.end_frame) for t in found] == [
        ("cut", 20, 20),
        ("cut", 55, 55),
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(6, 40), min_size=1, max_size=7))
def test_cuts_between_shots_of_any_length_are_found(lengths: list[int]) -> None:
    video = clip(*(hold(seed, count) for seed, count in enumerate(lengths)))
    wanted = np.cumsum(lengths)[:-1].tolist()
    assert cuts_of(find_transitions(video, FPS)) == wanted


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_flash_is_no_cut(count: int) -> None:
    white = shot(1) * 0.1 + 225
    video = clip(hold(1, 30), [white] * count, hold(1, 30))
    assert cuts_of(find_transitions(video, FPS)) == []


def test_a_white_frame_between_two_shots_is_one_cut() -> None:
    white = [np.stack([np.full((27, 48), 235.0), *black()[1:]])]
    video = clip(hold(1, 30), white, hold(2, 30))
    assert cuts_of(find_transitions(video, FPS)) == [31]


def test_a_moving_camera_is_no_cut() -> None:
    wide = np.concatenate([shot(seed) for seed in range(1, 5)], axis=2)
    frames = [wide[:, :, x : x + 48] for x in range(0, 4 * 48 - 48, 2)]
    assert find_transitions(clip(frames), FPS) == ()


def test_a_thing_that_crosses_a_quarter_of_the_picture_at_once_is_no_cut() -> None:
    with_thing = shot(1).copy()
    with_thing[:, 5:20, 10:30] = 30
    video = clip(hold(1, 30), [with_thing] * 30)
    assert cuts_of(find_transitions(video, FPS)) == []


@pytest.mark.parametrize("count", [10, 14, 20, 29, 44])
def test_a_dissolve_is_found_with_its_range_and_no_cut(count: int) -> None:
    video = clip(hold(1, 40), blend(shot(1), shot(2), count), hold(2, 40))
    (found,) = find_transitions(video, FPS)
    assert found.kind == "dissolve"
    assert abs(found.start_frame - 39) <= 2
    assert abs(found.end_frame - (40 + count)) <= 2


def test_fades_are_told_apart_by_direction() -> None:
    video = clip(
        [black()] * 10,
        blend(black(), shot(1), 20),
        hold(1, 40),
        blend(shot(1), black(), 20),
        [black()] * 15,
    )
    found = find_transitions(video, FPS)
    assert [t.kind for t in found] == ["fade_in", "fade_out"]
    assert abs(found[0].start_frame - 9) <= 2
    assert abs(found[0].end_frame - 30) <= 2
    assert abs(found[1].start_frame - 69) <= 2
    assert abs(found[1].end_frame - 90) <= 2


def test_brighter_light_on_the_same_scene_is_no_dissolve() -> None:
    brighter = shot(1).copy()
    brighter[0] = brighter[0] * 0.6 + 90
    video = clip(hold(1, 30), blend(shot(1), brighter, 20), [brighter] * 30)
    assert find_transitions(video, FPS) == ()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_shortest_clips_have_no_transition(count: int) -> None:
    assert SceneDetector().result() == ()
    if count >= 2:
        assert find_transitions(clip(hold(1, count)), FPS) == ()


@given(st.sets(st.integers(1, 99), max_size=10))
def test_shots_cover_the_video_without_gap_or_overlap(cuts: set[int]) -> None:
    transitions = tuple(
        Transition(kind="cut", start_frame=cut, end_frame=cut) for cut in sorted(cuts)
    )
    shots = shots_between(transitions, [i / FPS for i in range(100)], 100 / FPS)
    assert shots[0].start_frame == 0
    assert shots[-1].end_frame == 100
    assert [s.start_frame for s in shots[1:]] == sorted(cuts)
    assert all(a.end_frame == b.start_frame for a, b in itertools.pairwise(shots))
    assert all(a.end_seconds == b.start_seconds for a, b in itertools.pairwise(shots))


def look(thumb: NDArray[np.uint8], index: int) -> Look:
    """A frame whose picture is already as small as a thumbnail."""
    planes = tuple(np.ascontiguousarray(plane) for plane in thumb)
    return Look(index, 48, 27, 0, planes, 0)


def test_a_long_video_is_searched_in_stretches_with_the_same_result() -> None:
    shots = [hold(seed, 70) + blend(shot(seed), shot(seed + 1), 14) for seed in range(1, 30, 2)]
    video = clip(
        *(part + hold(seed + 1, 66) for seed, part in zip(range(1, 30, 2), shots, strict=True))
    )
    detector = SceneDetector()
    most = 0
    for index, thumb in enumerate(video):
        detector.see(look(thumb, index), index / FPS)
        most = max(most, len(detector._thumbs))
    assert len(video) > 2 * most
    found = detector.result()
    assert found == find_transitions(video, FPS)
    assert [t.kind for t in found] == (["dissolve", "cut"] * 15)[:-1]


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["right", "down", "middle"]), st.integers(8, 24))
def test_a_wipe_is_one_transition_and_no_burst_of_cuts(way: str, count: int) -> None:
    rows, columns = np.mgrid[0:27, 0:48]
    order = {
        "right": columns / 48,
        "down": rows / 27,
        "middle": np.hypot(rows - 13, columns - 24) / 28,
    }[way]
    wiped = [np.where(order < (i + 1) / (count + 1), shot(2), shot(1)) for i in range(count)]
    found = find_transitions(clip(hold(1, 30), wiped, hold(2, 30)), FPS)
    assert [t.kind for t in found] == ["dissolve"]
    assert found[0].start_frame < 30 + count
    assert found[0].end_frame > 30


@pytest.mark.parametrize("count", [10, 16, 24])
def test_a_slide_is_one_transition_and_no_burst_of_cuts(count: int) -> None:
    both = np.concatenate([shot(1), shot(2)], axis=2)
    places = [round(48 * (i + 1) / (count + 1)) for i in range(count)]
    found = find_transitions(
        clip(hold(1, 30), [both[:, :, x : x + 48] for x in places], hold(2, 30)), FPS
    )
    assert [t.kind for t in found] == ["dissolve"]


def test_a_caption_that_pops_up_on_a_dark_shot_is_no_cut() -> None:
    dark = shot(1).copy()
    dark[0] = dark[0] * 0.1 + 5
    titled = dark.copy()
    titled[0, 9:16] = 230
    assert find_transitions(clip([dark] * 30, [titled] * 30), FPS) == ()


@pytest.mark.parametrize("repeats", [2, 5])
def test_repeated_frames_do_not_turn_movement_into_cuts(repeats: int) -> None:
    wide = np.concatenate([shot(1), shot(2)], axis=2)
    moved = [wide[:, :, 2 * i : 2 * i + 48] for i in range(20)]
    video = clip([frame for frame in moved for _ in range(repeats)])
    assert cuts_of(find_transitions(video, FPS * repeats)) == []


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_jump_right_after_a_cut_leaves_the_cut_where_it_is(after: int) -> None:
    jumped = shot(2) + (shot(4) - shot(2)) * 0.35
    found = find_transitions(clip(hold(1, 30), hold(2, after), [jumped] * 40), FPS)
    assert [(t.kind, t.start_frame) for t in found] == [("cut", 30)]


@pytest.mark.parametrize("speed", [1, 2])
def test_a_flash_that_rises_and_falls_in_a_moving_shot_is_no_cut(speed: int) -> None:
    wide = np.concatenate([shot(seed) for seed in range(1, 5)], axis=2)
    frames = [wide[:, :, speed * i : speed * i + 48] for i in range(60)]
    for at, share in ((30, 0.5), (31, 1.0), (32, 0.5)):
        frames[at] = (
            frames[at] + (np.stack([np.full((27, 48), 235.0), *black()[1:]]) - frames[at]) * share
        )
    assert find_transitions(clip(frames), FPS) == ()


@pytest.mark.parametrize("after", [1, 2, 3, 8])
def test_a_caption_right_after_a_cut_to_a_still_picture_hides_nothing(after: int) -> None:
    titled = shot(2).copy()
    titled[0, 6:19] = 240
    frames = np.stack(hold(1, 30) + hold(2, after) + [titled] * 30)
    found = find_transitions(np.rint(frames).astype(np.uint8), FPS)
    assert [(t.kind, t.start_frame) for t in found] == [("cut", 30)]


@pytest.mark.parametrize("gap", [5, 8, 12])
def test_a_cut_shortly_before_a_dissolve_is_found_beside_it(gap: int) -> None:
    video = clip(hold(1, 30), hold(2, gap), blend(shot(2), shot(3), 14), hold(3, 30))
    found = find_transitions(video, FPS)
    assert [t.kind for t in found] == ["cut", "dissolve"]
    assert found[0].start_frame == 30


def test_a_dark_shot_fades_to_black() -> None:
    dim = black() + (shot(1) - black()) * 0.12
    video = clip([dim] * 40, blend(dim, black(), 20), [black()] * 20)
    found = find_transitions(video, FPS)
    assert [t.kind for t in found] == ["fade_out"]


JOINS = st.lists(st.sampled_from(["cut", "dissolve", "black", "wipe"]), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(JOINS, st.integers(0, 10_000))
def test_any_sequence_of_transitions_is_read_back(joins: list[str], seed: int) -> None:
    columns = np.arange(48) / 48
    parts, wanted = [hold(seed, 30)], []
    for index, join in enumerate(joins, start=seed):
        one, other = shot(index), shot(index + 1)
        if join == "dissolve":
            parts.append(blend(one, other, 14))
        elif join == "wipe":
            parts.append([np.where(columns < (i + 1) / 15, other, one) for i in range(14)])
        elif join == "black":
            parts += [blend(one, black(), 10), [black()] * 3, blend(black(), other, 10)]
        parts.append(hold(index + 1, 30))
        kinds = {"black": ["fade_out", "fade_in"], "wipe": ["dissolve"]}
        wanted += kinds.get(join, [join])
    assert [t.kind for t in find_transitions(clip(*parts), FPS)] == wanted
