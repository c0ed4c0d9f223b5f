"""The crop follows one face and does not change its mind."""

from collections.abc import Sequence

from shared.domain.creative.subject import follow_faces, follow_persons
from shared.models import FaceSample
from tests.support.footage import FaceAt, face_track, inference

VERTICAL = (0.316, 1.0)
LEFT, RIGHT = 0.2, 0.8


def samples(faces: Sequence[FaceAt]) -> tuple[FaceSample, ...]:
    return face_track(faces).samples


def middles(faces: Sequence[FaceAt]) -> list[float | None]:
    """The middle of what is followed at each sample."""
    found = follow_faces(samples(faces), *VERTICAL)
    return [
        round((one.rectangles[0][0] + one.rectangles[0][2]) / 2, 2) if one.rectangles else None
        for one in found
    ]


def test_two_faces_that_take_turns_are_no_reason_to_swing() -> None:
    """Each is seen on every other sample: the one that was first is stayed with."""
    turns = [(i * 0.5, LEFT if i % 2 == 0 else RIGHT, 0.15, i % 2) for i in range(20)]
    assert {middle for middle in middles(turns) if middle is not None} == {LEFT}


def test_of_two_like_faces_the_first_one_stays() -> None:
    faces: list[FaceAt] = []
    for i in range(20):
        faces.append((i * 0.5, LEFT, 0.15 + 0.01 * (i % 3), 0))
        faces.append((i * 0.5, RIGHT, 0.16 - 0.01 * (i % 3), 1))
    assert len(set(middles(faces))) == 1


def test_a_face_that_has_been_much_larger_for_a_second_takes_over_once() -> None:
    faces: list[FaceAt] = []
    for i in range(20):
        faces.append((i * 0.5, LEFT, 0.15, 0))
        faces.append((i * 0.5, RIGHT, 0.1 if i < 8 else 0.3, 1))
    found = middles(faces)
    changes = [i for i in range(1, 20) if found[i] != found[i - 1]]
    assert found[0] == LEFT
    assert found[-1] == RIGHT
    assert changes == [10]


def test_a_face_that_is_away_for_a_moment_is_waited_for() -> None:
    faces = [(i * 0.5, LEFT, 0.15, 0) for i in range(20) if i != 7]
    faces += [(3.5, RIGHT, 0.15, 1), (4.0, RIGHT, 0.15, 1)]
    assert middles(faces)[7] is None
    assert middles(faces)[8] == LEFT


def test_two_faces_that_fit_together_are_both_kept() -> None:
    faces: list[FaceAt] = []
    for i in range(6):
        faces += [(i * 0.5, 0.45, 0.1, 0), (i * 0.5, 0.58, 0.1, 1)]
    assert all(len(one.rectangles) == 2 for one in follow_faces(samples(faces), *VERTICAL))


def test_a_pattern_that_looks_like_a_face_once_is_not_followed() -> None:
    faces = [(i * 0.5, LEFT, 0.15, 0) for i in range(8)] + [(2.0, RIGHT, 0.4, 9)]
    assert set(middles(faces)) == {LEFT}


def test_a_face_without_a_track_is_known_by_its_place() -> None:
    faces = [(i * 0.5, LEFT + 0.005 * i, 0.15, None) for i in range(8)]
    assert None not in middles(faces)


def test_the_largest_person_of_each_moment_is_followed() -> None:
    seen = inference(persons=[(1.0, 0.3), (2.0, 0.7)]).objects
    assert [one.at for one in follow_persons(seen or ())] == [1.0, 2.0]
