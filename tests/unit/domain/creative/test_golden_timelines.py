"""Golden timelines: what is cut from made footage today is cut from it tomorrow.

After a change that is meant: `python -m tests.unit.domain.creative.test_golden_timelines` writes
them anew; the difference is then read in the commit.
"""

import difflib
import json
from pathlib import Path

import pytest

from shared.creative_models import Placement, Variation
from shared.domain.creative.footage import Footage
from shared.domain.creative.recut import cut_timeline
from shared.models import Transition
from shared.timeline_models import Timeline
from tests.support.footage import analysis, concept, footage, inference, talk, variation

FOLDER = Path(__file__).parents[3] / "golden" / "timelines"
TALK = (
    "Have you ever felt tired of grey walls? I did for years. Then I found a meadow, ten minutes "
    "from my door. There is fresh air every day. Nobody wants anything from you. My children love "
    "it too. So go out. Meadow shows you the way. Try it today, it is free."
)
Case = tuple[Variation, list[Footage], Placement]


def cases() -> dict[str, Case]:
    """Each kind of footage once."""
    words = talk(TALK * 2, 0.4)
    seconds = words[-1][2] + 1
    walker = [(i * 0.5, 0.3 + 0.02 * (i % 20), 0.15, 0) for i in range(int(seconds * 2))]
    pair = [(i * 0.5, 0.2 + 0.6 * (i % 2), 0.12, i % 2) for i in range(60)]
    beats = [i * 0.5 for i in range(80)]
    text = [("Grey walls again?", 4.0, 8.0, (0.2, 0.8, 0.6, 0.1))]
    dissolve = Transition(kind="dissolve", start_frame=90, end_frame=110)
    shots = [4.0, 3.0, 5.0, 2.5, 6.0, 4.5, 3.5, 4.0]
    lively = footage(
        analysis(shots, energies=[1, 3, 2, 5], beats=beats, transitions=[dissolve]),
        inference(None, lines=text),
        scores=(0.4, 0.8, 0.3, None, 0.6, 0.9, 0.2, 0.7),
    )
    told = footage(analysis([seconds], faces=walker, energies=[1, 2]), inference(words))
    two = footage(analysis([10.0] * 3, faces=pair, rate=29.97, has_audio=False))
    tiny = footage(analysis([1.2, 2.4], size=(64, 48), rate=10.0, has_audio=False))
    flash = footage(analysis([0.3], size=(1080, 1920), rate=60.0))
    return {
        "shots_fast_reels": (variation(pacing="fast"), [lively], "meta:reels"),
        "shots_slow_30_feed": (variation(pacing="slow", duration=30), [lively], "meta:feed"),
        "talk_medium_30_tiktok": (variation(duration=30), [told], "tiktok:feed"),
        "talk_fast_instream": (variation(pacing="fast"), [told], "youtube:instream"),
        "two_faces_shorts": (variation(), [two], "youtube:shorts"),
        "tiny_slow_square": (variation(pacing="slow"), [tiny], "x:feed"),
        "flash_and_cards": (variation(), [flash], "meta:stories"),
        "cards_only_60": (variation(duration=60), [], "linkedin:feed"),
    }


def written(timeline: Timeline) -> str:
    """A timeline as people compare it: one line a field, nothing that is left at its default."""
    return json.dumps(timeline.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n"


def cut(case: Case) -> Timeline:
    wanted, found, placement = case
    return cut_timeline(wanted, concept(), found, placement)


@pytest.mark.parametrize("name", sorted(cases()))
def test_footage_is_cut_as_before(name: str) -> None:
    golden = (FOLDER / f"{name}.json").read_text()
    now = written(cut(cases()[name]))
    changed = difflib.unified_diff(
        golden.splitlines(),
        now.splitlines(),
        f"golden/{name}.json",
        "as it is cut now",
        lineterm="",
    )
    assert golden == now, "\n".join(changed)


def test_golden_timelines_are_whole_timelines() -> None:
    for name in cases():
        timeline = Timeline.model_validate_json((FOLDER / f"{name}.json").read_text())
        assert timeline.seconds <= 60.001


def test_no_golden_timeline_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(cases())


if __name__ == "__main__":
    for one, case in cases().items():
        (FOLDER / f"{one}.json").write_text(written(cut(case)))
