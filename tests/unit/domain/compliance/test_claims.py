"""Claims and banned words: found in five languages, in what is shown, said and written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compliance_models import Finding
from shared.creative_models import Placement
from shared.domain.compliance.check import judge
from shared.domain.compliance.claims import Said, claim_book, find_claims, phrases_of
from shared.domain.compliance.facts import AdText, ShownFacts, ShownText
from shared.domain.compliance.phrases import Phrase, PhraseInvalid, plain
from shared.inference_models import Transcript, Word
from shared.models import Speech
from tests.unit.domain.compliance.records import line, measured

FOUND = [
    ("health_cure", "en", "This tea CURES cancer!"),
    ("health_cure", "en", "Say goodbye to diabetes"),
    ("health_cure", "de", "Heilt Arthrose in Tagen"),
    ("health_cure", "es", "Cura la diabetes para siempre"),
    ("health_cure", "fr", "Guérit l'arthrose"),
    ("health_cure", "pt", "Cura a diabetes"),
    ("weight_loss", "en", "Lose 10 kg in 2 weeks"),
    ("weight_loss", "de", "10 Kilo in 2 Wochen weg"),
    ("weight_loss", "es", "Pierde 10 kilos en 2 semanas"),
    ("weight_loss", "fr", "Perdez 10 kilos en 2 semaines"),
    ("weight_loss", "pt", "Perca 10 quilos em 2 semanas"),
    ("income", "en", "Guaranteed income from home"),
    ("income", "en", "Earn $500 a day"),
    ("income", "de", "Garantiertes Einkommen"),
    ("income", "de", "Verdiene 500 € am Tag"),
    ("income", "es", "Ingresos garantizados"),
    ("income", "fr", "Revenus garantis"),
    ("income", "pt", "Renda garantida"),
    ("guaranteed_result", "en", "Guaranteed results"),
    ("guaranteed_result", "de", "100 % wirksam"),
    ("guaranteed_result", "es", "Resultados garantizados"),
    ("guaranteed_result", "fr", "Résultats garantis"),
    ("guaranteed_result", "pt", "Resultados garantidos"),
    ("personal_attribute", "en", "You are fat"),
    ("personal_attribute", "en", "You're broke, right?"),
    ("personal_attribute", "en", "Are you depressed?"),
    ("personal_attribute", "de", "Du bist fett"),
    ("personal_attribute", "es", "¿Estás gorda?"),
    ("personal_attribute", "fr", "Tu es grosse"),
    ("personal_attribute", "pt", "Você é gordo"),
    ("before_after", "en", "Before & After"),
    ("before_after", "de", "Vorher/Nachher"),
    ("before_after", "es", "Antes y después"),
    ("before_after", "fr", "Avant / après"),
    ("before_after", "pt", "Antes e depois"),
    ("superlative", "en", "The best coffee in the world"),
    ("superlative", "en", "The #1 app"),
    ("superlative", "en", "World's fastest blender"),
    ("superlative", "de", "Die beste Creme der Welt"),
    ("superlative", "es", "El mejor café del mundo"),
    ("superlative", "fr", "Le meilleur café du monde"),
    ("superlative", "pt", "O melhor café do mundo"),
    ("profanity", "en", "This is fucking good"),
    ("profanity", "de", "Scheiße, ist das gut"),
    ("profanity", "es", "¡Joder, qué bueno!"),
    ("profanity", "fr", "Putain, c'est bon"),
    ("profanity", "pt", "Caralho, que bom"),
    ("platform_endorsement", "en", "Approved by Facebook"),
    ("platform_name", "en", "As seen on TikTok"),
]
HARMLESS = [
    "Fresh air, every day. Try it today.",
    "Your money back if you are not happy",
    "Guaranteed money back within 30 days",
    "A cure for boredom? Walk.",
    "Stop walking on bricks. Walk on clouds.",
    "Are you ready for summer?",
    "The best part of waking up",
    "Make 3 dinners in a week",
    "Scunthorpe assassin classic shiitake cockatoo",
    "Con nosotros, el café es así",
    "Der Arm der Lampe ist beweglich, die Decke fällt weich",
    "Un cono de helado y una pizza con queso",
    "En retard ? Pas de stress, on livre ce soir",
    "Você pede, nós entregamos",
]


@pytest.mark.parametrize(("category", "language", "text"), FOUND)
def test_a_claim_is_found(category: str, language: str, text: str) -> None:
    """In its language, and where nobody said which language it is."""
    for known in (language, ""):
        assert category in {one.category for one in find_claims([Said(plain(text), 0.0)], known)}


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words_are_left_alone(text: str) -> None:
    """Parts of words, words of other languages, and promises that are none."""
    found = find_claims([Said(plain(text), 0.0)], "")
    assert [one.words for one in found] == []


def test_every_category_has_phrases_in_every_language() -> None:
    """Those about platforms' names apart, which are the same everywhere."""
    book = claim_book()
    for language in set(book.languages) - {"any"}:
        for category in set(book.categories) - {"platform_name"}:
            assert phrases_of(language, category)[0], (language, category)


def test_a_known_language_is_not_searched_with_the_words_of_others() -> None:
    """English stays, because ads mix it in."""
    assert find_claims([Said(plain("merde"), 0.0)], "de") == []
    assert find_claims([Said(plain("bullshit"), 0.0)], "de")


def hits(placement: Placement, facts: ShownFacts, **changes: object) -> list[Finding]:
    compliance = judge(measured(**changes), placement, facts)
    return [o for o in compliance.findings if o.rule.startswith("claims") and o.grade != "pass"]


def test_a_claim_on_screen_has_its_second_also_over_two_lines() -> None:
    """What stands in two lines is one text, and gaps lost in reading do not hide it."""
    text = (line("Guaranteed", 4.0, 6.0, top=0.3), line("income", 4.0, 6.0, top=0.35))
    (found,) = hits("meta:reels", ShownFacts(), text=text)
    assert (found.rule, found.grade, found.at_seconds) == ("claims_on_screen", "fail", 4.0)
    assert "guaranteed income" in found.found
    (joined,) = hits("meta:reels", ShownFacts(), text=(line("GUARANTEEDINCOME", 2.0, 5.0),))
    assert joined.at_seconds == 2.0


def test_a_claim_that_is_said_has_the_second_of_its_word() -> None:
    """Not that of the sentence."""
    words = ["well", "we", "all", "know", "that", "this", "tea", "cures", "cancer", "every", "day"]
    transcript = Transcript(
        language="en",
        source="captions",
        words=tuple(
            Word(word=w, start_seconds=i / 2, end_seconds=i / 2 + 0.4, confidence=1)
            for i, w in enumerate(words)
        ),
    )
    (found,) = hits("tiktok:feed", ShownFacts(transcript=transcript))
    assert (found.rule, found.grade, found.at_seconds) == ("claims_spoken", "fail", 3.5)


def test_a_claim_in_a_text_beside_the_video_names_the_field() -> None:
    """Such a text has no second."""
    facts = ShownFacts(ad_texts=(AdText(field="headline", text="You are fat"),))
    (found,) = hits("meta:feed", facts)
    assert found.rule == "claims_in_texts"
    assert found.at_seconds is None
    assert found.found.endswith("in headline")


def test_the_same_words_may_weigh_otherwise_elsewhere() -> None:
    """Meta refuses what speaks of the viewer's body; YouTube's policy does not name it."""
    facts = ShownFacts(shown=(ShownText(text="You are fat", start_seconds=1.0),))
    assert [one.grade for one in hits("meta:reels", facts)] == ["fail"]
    assert [one.grade for one in hits("youtube:shorts", facts)] == ["warn"]


def test_words_that_are_meant_to_be_shown_are_judged_though_nobody_can_read() -> None:
    """The intention is checked, and what was not read is said beside it."""
    facts = ShownFacts(shown=(ShownText(text="Guaranteed results", start_seconds=2.0),))
    found = hits("tiktok:feed", facts, text=None, text_problem="no network")
    assert {one.grade for one in found} == {"fail", "unavailable"}


def test_what_came_too_fast_to_be_read_is_said() -> None:
    """A pass that did not see everything says how much it missed."""
    hasty = measured().model_copy(update={"skipped_reads": 3})
    findings = judge(hasty, "x:feed", ShownFacts()).findings
    (found,) = [one for one in findings if one.rule == "claims_on_screen"]
    assert found.found == "none found; 3 changes came too fast to be read"


def test_speech_without_a_transcript_is_not_called_harmless() -> None:
    """What is said is unknown then."""
    said = (Speech(start_seconds=0.0, end_seconds=5.0),)
    unknown = [o for o in hits("x:feed", ShownFacts(), speech=said) if o.rule == "claims_spoken"]
    assert [one.grade for one in unknown] == ["unavailable"]


@given(st.text(max_size=300))
def test_any_text_is_searched_without_a_crash(text: str) -> None:
    """Emoji, right-to-left, control characters; and what is told of it stays one line."""
    facts = ShownFacts(shown=(ShownText(text=text + " you are fat"),))
    for one in hits("meta:feed", facts):
        assert one.found.isprintable()


@given(st.text(max_size=200))
def test_plain_text_is_plain_already(text: str) -> None:
    """Doing it twice changes nothing, so that places in a transcript stay right."""
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "guaranteed " * 1500,
        "a" * 20_000,
        "lose 1 " * 2500,
        "\u202e\x1b[31m fat " * 1000,
        "{}%\\'\n" * 3000,
    ],
    ids=["holes", "one word", "numbers", "controls", "braces"],
)
def test_long_hostile_texts_take_no_time(text: str) -> None:
    """Phrases with holes do not explode."""
    began = time.process_time()
    find_claims([Said(plain(text), 0.0, from_screen=True)], "")
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("written", "why"), [("", "empty"), ("..3", "empty"), ("cure @nothing", "no list")]
)
def test_a_phrase_that_cannot_be_meant_is_refused(written: str, why: str) -> None:
    """Data of people are checked."""
    with pytest.raises(PhraseInvalid, match=why):
        Phrase(written, {})
