"""The verdict on a measured ad: the worst finding, and unchecked is never a pass."""

from hypothesis import given
from hypothesis import strategies as st

from shared.compliance_models import Finding, Grade
from shared.domain.compliance.check import WORST_FIRST, judge, text_width, verdict_of
from shared.domain.compliance.facts import AdText, ShownFacts, ShownText
from shared.domain.compliance.rulebook import PLACEMENTS
from shared.models import Speech
from tests.unit.domain.compliance.records import CALL, line, measured

GRADES: st.SearchStrategy[Grade] = st.sampled_from(WORST_FIRST)
NOTHING = ShownFacts()


def finding(grade: Grade) -> Finding:
    return Finding(rule="length", grade=grade, found="", expected="", source="")


@given(st.lists(GRADES))
def test_the_verdict_is_the_worst_grade(grades: list[Grade]) -> None:
    """Fail beats all, unchecked warns, and only a list of passes passes."""
    verdict = verdict_of([finding(grade) for grade in grades])
    assert (verdict == "fail") == ("fail" in grades)
    assert (verdict == "pass") == all(grade == "pass" for grade in grades)


@given(st.lists(GRADES, min_size=1), GRADES)
def test_one_more_finding_never_makes_a_verdict_better(grades: list[Grade], more: Grade) -> None:
    """Verdicts only get worse."""
    order = ("pass", "warn", "fail")
    before = verdict_of([finding(grade) for grade in grades])
    after = verdict_of([finding(grade) for grade in [*grades, more]])
    assert order.index(after) >= order.index(before)


def test_an_ad_in_order_passes() -> None:
    """Where everything was measured and kept."""
    for placement in ("meta:reels", "tiktok:feed", "youtube:shorts", "youtube:demand_gen"):
        compliance = judge(
            measured(length=14.0 if "meta" in placement else 22.0), placement, NOTHING
        )
        bad = [one for one in compliance.findings if one.grade != "pass"]
        assert bad == [], placement
        assert compliance.verdict == "pass"


def test_findings_come_worst_first() -> None:
    """And every placement has one for each of its rules."""
    bad = measured(
        ratio=1.7778, picture=(1920, 1080), loudness=-30.0, text=None, text_problem="no net"
    )
    for placement in PLACEMENTS:
        grades = [WORST_FIRST.index(one.grade) for one in judge(bad, placement, NOTHING).findings]
        assert grades == sorted(grades)


def test_text_that_nobody_could_read_is_unavailable_and_never_a_pass() -> None:
    """The rules about text say why, and the verdict is a warning."""
    compliance = judge(measured(text=None, text_problem="no network"), "tiktok:feed", NOTHING)
    unread = {one.rule: one for one in compliance.findings if one.grade == "unavailable"}
    assert {"safe_zone", "text_size", "reading_time", "text_amount", "claims_on_screen"} <= set(
        unread
    )
    assert unread["safe_zone"].found == "no network"
    assert compliance.verdict == "warn"


def test_unavailable_does_not_hide_a_failure() -> None:
    """A wrong length fails though text was not read."""
    broken = measured(length=400.0, text=None, text_problem="no network")
    assert judge(broken, "tiktok:feed", NOTHING).verdict == "fail"


def test_the_safe_zone_of_one_shape_is_not_used_on_another() -> None:
    """On a landscape picture nobody knows what the app of a vertical placement covers."""
    wide = measured(ratio=1.7778, picture=(1920, 1080))
    (zone,) = [
        one for one in judge(wide, "meta:reels", NOTHING).findings if one.rule == "safe_zone"
    ]
    assert zone.grade == "unavailable"
    assert "16:9" in zone.found


def test_a_square_picture_has_its_own_smallest_size() -> None:
    """TikTok takes 540 pixels of a vertical video, and 640 of a square one."""
    small = {"size": 600.0, "long_side": 600.0, "ratio": 1.0, "picture": (600, 600)}
    found = {one.rule: one for one in judge(measured(**small), "tiktok:feed", NOTHING).findings}
    assert found["size"].grade == "fail"
    assert (
        sum(1 for one in judge(measured(), "tiktok:feed", NOTHING).findings if one.rule == "size")
        == 1
    )


def test_a_silent_video_has_no_loudness_to_judge() -> None:
    """It is told that sound is missing, and nothing else about sound."""
    silent = measured(
        sound="none",
        loudness=None,
        true_peak=None,
        audio_codec=None,
        audio_bit_rate=None,
        sample_rate=None,
    )
    rules = {one.rule: one for one in judge(silent, "linkedin:feed", NOTHING).findings}
    assert rules["sound"].grade == "warn"
    assert not {"loudness", "true_peak", "audio_codec", "sample_rate"} & set(rules)


def test_covered_words_that_were_filmed_are_warned_of_and_our_own_fail() -> None:
    """Only what was written on the picture can be moved."""
    covered = measured(text=(line("Shop now", 0.0, 4.0, top=0.9), *CALL))
    ours = ShownText(text="Shop now", end_seconds=4.0, top=0.85, bottom=1.0)
    other = ours.model_copy(update={"top": 0.2, "bottom": 0.4})
    grades = {}
    for name, shown in (("nobody knows", ()), ("ours", (ours,)), ("filmed", (other,))):
        found = judge(covered, "meta:reels", ShownFacts(shown=shown)).findings
        (zone,) = [one for one in found if one.rule == "safe_zone"]
        grades[name] = (zone.grade, bool(zone.automatic_fix))
    assert grades == {
        "nobody knows": ("fail", True),
        "ours": ("fail", True),
        "filmed": ("warn", False),
    }


def test_texts_beside_the_video_keep_the_limits_they_came_with() -> None:
    """Longer than is taken fails, longer than is seen warns; wide letters count two."""
    texts = (
        AdText(field="headline", text="x" * 41, most=40),
        AdText(field="primary", text="x" * 130, shown=125, most=2200),
        AdText(field="name", text="Shop", most=25),
        AdText(field="free", text="anything"),
    )
    found = judge(measured(), "meta:reels", ShownFacts(ad_texts=texts)).findings
    grades = {one.found.partition(":")[0]: one.grade for one in found if one.rule == "ad_text"}
    assert grades == {"headline": "fail", "primary": "warn", "name": "pass"}
    assert text_width("日本🎉a") == 7


def test_speech_without_words_on_screen_is_warned_of() -> None:
    """With the second from which on nothing follows it; a logo that stays is no caption."""
    said = (Speech(start_seconds=1.0, end_seconds=9.0),)
    logo = line("Brand", 0.0, 22.0)
    found = {
        o.rule: o for o in judge(measured(speech=said, text=(logo,)), "x:feed", NOTHING).findings
    }
    assert found["captions"].grade == "warn"
    assert found["captions"].at_seconds == 1.0
    lines = tuple(line(f"so it goes {i}", 1.0 + i, 2.0 + i) for i in range(8))
    captioned = measured(speech=said, text=(*lines, line("Buy", 18, 22)))
    found = {o.rule: o for o in judge(captioned, "x:feed", NOTHING).findings}
    assert found["captions"].grade == "pass"


def test_speech_that_nobody_listened_for_is_unavailable() -> None:
    """Neither captions nor what is said can be judged then."""
    compliance = judge(measured(speech=None), "x:feed", NOTHING)
    unknown = {one.rule for one in compliance.findings if one.grade == "unavailable"}
    assert unknown == {"captions", "claims_spoken"}
