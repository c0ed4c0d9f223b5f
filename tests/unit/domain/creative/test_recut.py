"""What an editor would check: hook, pacing, whole sentences, beats, length, texts, captions."""

import time

import pytest

from shared.creative_models import Pacing
from shared.domain.creative.colors import contrast
from shared.domain.creative.footage import Footage, FootageAmbiguous
from shared.domain.creative.recut import MusicTrack, cut_timeline
from shared.models import Analyser
from shared.timeline_models import Timeline
from tests.support.footage import analysis, concept, footage, inference, talk, variation

TALK = (
    "I did that for years. Have you ever felt tired of grey walls? Then I found a meadow. "
    "There is fresh air every day. You can sit there and read. Nobody wants anything from you. "
    "My children love it too. It costs nothing at all. Meadow shows you the way. Try it today. "
)


def lively(count: int = 12, seconds: float = 4.0, **others: object) -> Footage:
    """Shots that differ in movement."""
    found = analysis(
        [seconds] * count,
        energies=[1, 3, 2, 5, 1, 4, 2],
        has_audio=False,
        **others,  # type: ignore[arg-type]
    )
    return footage(found)


def cut(found: Footage | None, **others: object) -> Timeline:
    return cut_timeline(variation(**others), concept(), [found] if found else [], "meta:reels")


@pytest.mark.parametrize("seconds", [15, 30])
@pytest.mark.parametrize("pacing", ["fast", "medium", "slow"])
def test_a_version_is_exactly_as_long_as_asked(pacing: Pacing, seconds: int) -> None:
    assert cut(lively(), pacing=pacing, duration=seconds).seconds == pytest.approx(
        seconds, abs=1e-3
    )


def test_the_pacing_is_how_long_shots_stay() -> None:
    found = lively(30, 5.0)
    counts = [len(cut(found, pacing=pacing).clips) for pacing in ("fast", "medium", "slow")]
    assert counts == sorted(counts, reverse=True)
    assert [round(12.5 / count, 1) for count in counts] == pytest.approx([1.2, 2.5, 4.2], abs=0.3)


def test_the_strongest_beginning_comes_first_and_the_story_keeps_its_order() -> None:
    faces = [(12.0 + i * 0.25, 0.5, 0.2, 0) for i in range(16)]
    found = footage(analysis([4.0] * 8, energies=[1.0], faces=faces, hook_score=0.1))
    timeline = cut(found)
    assert 12.0 <= timeline.clips[0].start_seconds < 16.0
    assert "hook" in timeline.clips[0].why
    starts = [clip.start_seconds for clip in timeline.clips[1:]]
    assert starts == sorted(starts)


def test_shots_with_high_scores_are_chosen() -> None:
    scores = tuple(0.9 if shot in (2, 5, 7, 9) else 0.1 for shot in range(12))
    found = lively().model_copy(update={"scores": scores})
    shown = {int(clip.start_seconds // 4) for clip in cut(found, pacing="slow").clips}
    assert shown <= {2, 5, 7, 9}


def test_a_question_is_a_better_hook_than_a_report_and_sentences_stay_whole() -> None:
    words = talk(TALK * 2, 0.4)
    found = footage(analysis([words[-1][2] + 1]), inference(words))
    timeline = cut(found, pacing="slow")
    assert timeline.captions is not None
    said = [word.text for word in timeline.captions.words]
    assert said[:2] == ["Have", "you"]
    assert said[-3:] == ["Try", "it", "today."]
    starts = {begin for word, begin, _ in words}
    ends = {end for _, _, end in words}
    for clip in timeline.clips:
        assert any(-0.01 <= begin - clip.start_seconds <= 0.3 for begin in starts)
        assert any(-0.01 <= clip.end_seconds - end <= 0.4 for end in ends)


def test_captions_are_the_words_at_the_moments_they_are_heard() -> None:
    words = talk(TALK * 2, 0.4)
    found = footage(analysis([words[-1][2] + 1]), inference(words))
    timeline = cut(found)
    assert timeline.captions is not None
    at = 0.0
    for clip in timeline.clips:
        here = [w for w in words if w[1] >= clip.start_seconds and w[2] <= clip.end_seconds]
        for word, begin, _ in here:
            expected = at + begin - clip.start_seconds
            assert any(
                one.text == word and one.start_seconds == pytest.approx(expected, abs=0.02)
                for one in timeline.captions.words
            )
        at += clip.seconds


def test_without_a_transcript_captions_are_unavailable_and_that_is_said() -> None:
    timeline = cut(footage(analysis([20.0], speech=[(1.0, 5.0)])))
    assert timeline.captions is None
    assert any("captions are unavailable" in note for note in timeline.notes)


def test_words_that_the_footage_shows_are_not_shown_twice() -> None:
    words = talk("Fresh air every day for you and me here. " * 4, 0.5)
    lines = [(word.upper(), a, b, (0.3, 0.8, 0.3, 0.06)) for word, a, b in words]
    found = analysis([words[-1][2] + 1], size=(1080, 1920))
    timeline = cut(footage(found, inference(words, lines=lines)))
    assert timeline.captions is None
    assert any("already shows" in note for note in timeline.notes)


def test_speech_without_words_is_not_cut_into() -> None:
    speech = [(i * 3.0 + 0.5, i * 3.0 + 2.7) for i in range(12)]
    timeline = cut(footage(analysis([12.0, 12.0, 12.0], speech=speech, energies=[1, 2])))
    for clip in timeline.clips:
        for begin, end in speech:
            for at in (clip.start_seconds, clip.end_seconds):
                assert not begin + 0.02 < at < end - 0.02


def test_speech_longer_than_the_version_is_cut_at_pauses_and_that_is_said() -> None:
    onsets = [0.5 + i * 0.3 + (i // 8) * 0.5 for i in range(150)]
    timeline = cut(footage(analysis([70.0], speech=[(0.4, 69.5)], onsets=onsets)))
    assert any("longer than" in note for note in timeline.notes)
    assert timeline.seconds <= 15.001
    assert timeline.seconds > 12


def test_cuts_fall_on_the_beats_of_the_footage() -> None:
    beats = [i * 0.5 for i in range(100)]
    found = footage(analysis([4.0] * 12, energies=[1, 3, 2], beats=beats))
    timeline = cut(found)
    on_beat = [
        clip
        for clip in timeline.clips
        if min(clip.end_seconds % 0.5, 0.5 - clip.end_seconds % 0.5) < 0.03
    ]
    assert len(on_beat) >= len(timeline.clips) - 1


def test_cuts_fall_on_the_beats_of_the_music_that_is_given() -> None:
    beats = tuple(i * 0.6 for i in range(60))
    music = MusicTrack(path="m.ogg", duration_seconds=40.0, beats_seconds=beats)
    timeline = cut_timeline(variation(), concept(), [lively()], "meta:reels", music=music)
    at, on_beat = 0.0, 0
    for clip in timeline.clips[:-1]:
        at += clip.seconds
        on_beat += min(abs(at - beat) for beat in beats) < 0.04
    assert on_beat == len(timeline.clips) - 1
    assert timeline.sound.music is not None


def test_a_source_of_a_few_seconds_is_shown_whole() -> None:
    timeline = cut(footage(analysis([4.0], has_audio=False)))
    assert [(c.start_seconds, c.end_seconds) for c in timeline.clips] == [(0.0, 4.0)]
    assert any("the footage allows 7.6 s of the 15 s asked" in note for note in timeline.notes)


def test_speech_that_just_fits_is_kept_whole_with_a_shorter_end_card() -> None:
    words = talk(" ".join(["word"] * 34), 0.1)
    timeline = cut(footage(analysis([words[-1][2] + 0.1]), inference(words)))
    assert sum(clip.seconds for clip in timeline.clips) > words[-1][2] - words[0][1]
    assert timeline.seconds == pytest.approx(15, abs=0.1)


def test_slow_pacing_slows_what_nobody_speaks_in() -> None:
    silent = cut(footage(analysis([4.0], has_audio=False)), pacing="slow")
    assert silent.clips[0].speed == 0.8
    words = talk("Fresh air every day. Try it today.", 0.3)
    spoken = cut(footage(analysis([4.0]), inference(words)), pacing="slow")
    assert {clip.speed for clip in spoken.clips} == {1.0}


def test_footage_too_short_to_read_over_is_followed_by_cards() -> None:
    timeline = cut(footage(analysis([0.1])))
    assert timeline.clips[0].source == "ad"
    assert all(clip.color for clip in timeline.clips[1:])
    assert timeline.seconds == pytest.approx(15, abs=1e-3)


def test_without_footage_the_ad_is_made_of_cards_that_can_be_read() -> None:
    timeline = cut(None)
    assert timeline.seconds == pytest.approx(15, abs=1e-3)
    assert all(clip.color for clip in timeline.clips)
    assert timeline.overlays[0].role == "hook"
    texts = [one.text for one in timeline.overlays]
    assert "Fresh air, every day" in texts
    for one in timeline.overlays:
        assert one.end_seconds - one.start_seconds >= len(one.text) / 17 - 0.05
        ground = next(
            clip.color
            for clip, start in zip(timeline.clips, starts(timeline), strict=True)
            if start <= one.start_seconds + 0.01 < start + clip.seconds
        )
        assert ground is not None
        assert contrast(one.color, ground) >= 4.5


def starts(timeline: Timeline) -> list[float]:
    at, found = 0.0, []
    for clip in timeline.clips:
        found.append(at)
        at += clip.seconds
    return found


def test_the_hook_is_read_from_the_first_frame_for_as_long_as_it_takes() -> None:
    timeline = cut(lively())
    hook = timeline.overlays[0]
    assert (hook.role, hook.start_seconds, hook.fade_seconds) == ("hook", 0.0, 0.0)
    assert hook.end_seconds >= max(1.5, len(hook.text) / 17)


def test_words_stand_beside_a_face_where_there_is_room() -> None:
    faces = [(i * 0.5, 0.5, 0.14, 0) for i in range(80)]
    found = footage(analysis([5.0] * 8, faces=faces, has_audio=False))
    timeline = cut(found)
    for one in timeline.overlays:
        # The face keeps its height in a crop of the full height: 25 to 39 % from the top.
        assert one.top >= 0.39 - 0.005 or one.top + one.height <= 0.25 + 0.005


def test_words_never_share_their_place_with_captions() -> None:
    words = talk(TALK * 2, 0.4)
    timeline = cut(footage(analysis([words[-1][2] + 1]), inference(words)))
    captions = timeline.captions
    assert captions is not None
    for one in timeline.overlays:
        below = one.top >= captions.top + captions.height
        assert below or one.top + one.height <= captions.top


@pytest.mark.parametrize(
    "scheme",
    [("#000000", "#000001"), ("#FFFFFF", "#FFFF00", "#FEFEFE"), ("#777777", "#808080")],
)
def test_every_text_can_be_read_on_its_colour(scheme: tuple[str, ...]) -> None:
    timeline = cut(lively(), color_scheme=scheme)
    card = timeline.end_card
    assert card is not None
    assert contrast(card.color, card.background) >= 4.5
    assert contrast(card.button_text, card.button) >= 4.5
    for one in timeline.overlays:
        assert one.background is not None
        assert contrast(one.color, one.background) >= 4.5


def test_hostile_texts_stand_as_they_are() -> None:
    texts = ["%{n}:{\\\\b1}'; drop\n", "x" * 200, "\u202eמרחבא", "👩‍👩‍👧‍👦 {{}} $(ls)"]
    for text in texts:
        timeline = cut(lively(), hook=text)
        assert timeline.overlays[0].text == text.strip()


def test_where_speech_is_unknown_that_is_said() -> None:
    missing = Analyser(name="speech", status="unavailable", reason="no model")
    timeline = cut(footage(analysis([20.0], analysers=[missing])))
    assert any("where somebody speaks is unknown" in note for note in timeline.notes)


def test_a_logo_stands_in_the_safe_zone_and_no_words_on_it() -> None:
    brand = concept().brand.model_copy(update={"logo_path": "logos/meadow.png"})
    wanted = concept(brand=brand)
    timeline = cut_timeline(variation(), wanted, [lively()], "tiktok:feed")
    logo = timeline.logo
    assert logo is not None
    height = logo.width * timeline.width / timeline.height
    assert logo.top >= 0.13
    assert all(
        one.top >= logo.top + height
        or one.left >= logo.left + logo.width
        or one.end_seconds <= logo.start_seconds
        for one in timeline.overlays
    )


def test_slow_ads_dissolve_seldom_and_stay_as_long() -> None:
    timeline = cut(lively(30, 6.0), pacing="slow", duration=30)
    dissolves = [clip.transition for clip in timeline.clips if clip.transition]
    assert 1 <= len(dissolves) <= len(timeline.clips) / 2
    assert timeline.seconds == pytest.approx(30, abs=1e-3)
    assert not any(clip.transition for clip in cut(lively(), pacing="fast").clips)


def test_two_sources_are_one_story() -> None:
    one, other = lively(4), lively(4).model_copy(update={"name": "second"})
    timeline = cut_timeline(variation(), concept(), [one, other], "x:feed")
    assert {clip.source for clip in timeline.clips} == {"ad", "second"}
    order = [clip.source for clip in timeline.clips[1:]]
    assert order == sorted(order, key=lambda name: name == "second")


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(FootageAmbiguous, match="'ad' twice"):
        cut_timeline(variation(), concept(), [lively(), lively()], "x:feed")


def test_footage_called_music_stays_beside_the_music() -> None:
    found = lively().model_copy(update={"name": "music"})
    music = MusicTrack(path="m.ogg", duration_seconds=40.0)
    timeline = cut_timeline(variation(), concept(), [found], "x:feed", music=music)
    assert timeline.sound.music is not None
    assert timeline.sources[timeline.sound.music.source].path == "m.ogg"
    assert timeline.sources["music"].path == "a.mp4"


def test_footage_whose_shots_nobody_found_is_one_shot() -> None:
    found = analysis([20.0], has_audio=False).model_copy(update={"shots": (), "cuts": ()})
    assert cut(footage(found)).seconds == pytest.approx(15, abs=1e-3)


def test_footage_without_a_frame_gives_cards_and_says_so() -> None:
    found = analysis([4.0])
    media = found.media.model_copy(update={"frames": 0, "duration_seconds": 0.0})
    timeline = cut(footage(found.model_copy(update={"media": media, "shots": ()})))
    assert all(clip.color for clip in timeline.clips)
    assert any("not a single whole frame" in note for note in timeline.notes)


def test_ten_timelines_take_half_a_second() -> None:
    words = talk(TALK * 12, 0.4)
    seconds = words[-1][2] + 1
    faces = [(i * 0.5, 0.4 + 0.2 * ((i % 30) / 30), 0.15, 0) for i in range(int(seconds * 2))]
    found = footage(analysis([seconds / 40] * 40, faces=faces, energies=[1, 2]), inference(words))
    cut(found)
    times = []
    for pacing in ("fast", "medium", "slow"):
        began = time.process_time()
        cut(found, pacing=pacing, duration=60)
        times.append(time.process_time() - began)
    assert min(times) < 0.2
