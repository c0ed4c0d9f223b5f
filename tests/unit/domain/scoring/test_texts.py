"""Text from outside in one form, and its language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.language import detect_language
from shared.domain.scoring.ngrams import count_ngrams, hash_counts
from shared.domain.scoring.texts import MAX_SENTENCES, read_text, sentences_of


@given(st.text(max_size=400))
def test_any_text_is_read_and_reading_it_again_changes_nothing(raw: str) -> None:
    text = read_text(raw)
    assert read_text(text.clean).words == text.words
    assert len(sentences_of(text)) <= MAX_SENTENCES
    places, values = hash_counts(count_ngrams(text), 1024)
    assert len(places) == len(values) == len(set(places.tolist()))
    assert (values**2).sum() == pytest.approx(1.0) or not len(values)


@pytest.mark.parametrize(
    "raw",
    [
        "Only 2 left",
        "Оnly 2 lеft",  # Cyrillic O and e
        "Ｏｎｌｙ　２　ｌｅｆｔ",
        "On\u200bly 2 le\u00adft",
        "\u202eOnly 2 left\u202c",
        "O̶n̶l̶y̶ 2 l̶e̶f̶t̶",
        "𝐎𝐧𝐥𝐲 𝟐 𝐥𝐞𝐟𝐭",
        "o.n.l.y 2 l.e.f.t",
        "  ONLY \t 2   LEFT ",
    ],
)
def test_tricks_of_unicode_do_not_hide_the_words(raw: str) -> None:
    assert read_text(raw).words == ("only", "2", "left")


def test_words_of_another_script_keep_their_letters() -> None:
    assert read_text("Только сегодня").words == ("только", "сегодня")


def test_a_long_text_is_cut_at_its_sentences_or_at_spaces() -> None:
    sentences = "One two three. " * 40
    assert {part.clean for part in sentences_of(read_text(sentences))} == {"One two three."}
    endless = " ".join(["word"] * 500)
    parts = sentences_of(read_text(endless))
    assert " ".join(part.clean for part in parts) == endless
    assert max(len(part.clean) for part in parts) <= 300


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Hurry! Only 2 left in stock", "en"),
        ("MoTrail", "en"),
        ("Nur noch heute: 20 % Rabatt", "de"),
        ("Seulement aujourd'hui: livraison gratuite", "fr"),
        ("Solo quedan 3 unidades", "es"),
        ("Restano solo 2 pezzi", "it"),
        ("Só hoje! Aproveite", "pt"),
        ("Только сегодня скидка 50%", "ru"),
        ("今だけ半額", "ja"),
        ("限时抢购", "zh"),
        ("오늘만 할인", "ko"),
        ("فقط اليوم", "ar"),
        ("🔥🔥🔥", "und"),
        ("12:34", "und"),
        ("", "und"),
    ],
)
def test_the_language_of_short_ad_lines_is_told(raw: str, code: str) -> None:
    assert detect_language(read_text(raw)).code == code


def test_a_text_without_common_words_is_assumed_to_be_english_and_says_so() -> None:
    assert detect_language(read_text("Limited stock!")).evidence == "assumed"
    assert detect_language(read_text("The last one")).evidence == "common words"
