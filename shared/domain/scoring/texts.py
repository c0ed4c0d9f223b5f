"""Text from outside in one form: tricks of Unicode undone, words, numbers and signs told apart."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARACTERS = 10_000
# A text of one sentence or two is judged whole; a longer one sentence by sentence.
WHOLE_CHARACTERS = 300
MAX_SENTENCES = 200

# Letters of other scripts that look like Latin ones; replaced only in words that also have Latin.
LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕԁһԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧαονιτυ",
    "ABEKMHOPCTYXIJSaeopcyxijsdhqwABEZHIKMNOPTYXaovitu",
)
PLAIN = str.maketrans("’‘‛ʼ`´“”„«»–—−…", "''''''\"\"\"\"\"---.", "")
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+(?:[.,:]\d+)*|[!?%$€£¥#]")
LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
GAPS = re.compile(r"\s+")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
# A mark that hides between letters ("h.u.r.r.y", "H U R R Y") hides the word from every n-gram.
SPACED_OUT = re.compile(r"(?<![^\W\d_])(?:[^\W\d_][ .\-_*]){3,}[^\W\d_](?![^\W\d_])")


@dataclass(frozen=True)
class Text:
    """One text in one form.

    `clean` keeps case and signs; `words` are lower-case words, numbers and the signs ! ? % $ € £ ¥.
    """

    clean: str
    words: tuple[str, ...]
    shown_as: str

    @property
    def letters(self) -> int:
        """How many letters the text has, of any script."""
        return sum(char.isalpha() for char in self.clean)


@lru_cache(maxsize=4096)
def read_text(raw: str) -> Text:
    """A text in one form: NFKC, invisible signs dropped, look-alikes and spaced-out words undone.

    At most 10,000 characters are read.
    """
    folded = unicodedata.normalize("NFKC", raw[:MAX_CHARACTERS]).translate(PLAIN)
    seen = "".join(char for char in folded if _is_visible(char))
    joined = SPACED_OUT.sub(_joined, seen)
    lines = [GAPS.sub(" ", line).strip() for line in joined.splitlines()]
    shown = "\n".join(line for line in lines if line)
    clean = "".join(_latin(part) for part in re.split(r"(\W+)", shown))
    return Text(clean, tuple(WORD.findall(clean.lower())), raw[:MAX_CHARACTERS])


def sentences_of(text: Text) -> tuple[Text, ...]:
    """The text itself when it is short, its sentences (at most 200) when it is long."""
    if len(text.clean) <= WHOLE_CHARACTERS:
        return (text,) if text.clean else ()
    parts = [piece for part in SENTENCE.split(text.clean) for piece in _short_pieces(part)]
    return tuple(read_text(part) for part in parts[:MAX_SENTENCES])


def _is_visible(char: str) -> bool:
    """Not a format sign (zero width, direction), a control sign or a stacked accent."""
    return char == "\n" or unicodedata.category(char) not in ("Cf", "Cc", "Mn", "Me", "Co", "Cs")


def _joined(match: re.Match[str]) -> str:
    return re.sub(r"[ .\-_*]", "", match.group())


def _latin(word: str) -> str:
    """The word with look-alikes replaced when its other letters are Latin."""
    return word.translate(LOOKALIKES) if LATIN.search(word) else word


def _short_pieces(sentence: str) -> list[str]:
    """A sentence without a stop for 300 characters, as a transcript has them, cut at spaces."""
    pieces = []
    while len(sentence) > WHOLE_CHARACTERS:
        at = sentence.rfind(" ", 1, WHOLE_CHARACTERS)
        at = at if at > 0 else WHOLE_CHARACTERS
        pieces.append(sentence[:at])
        sentence = sentence[at:].strip()
    return [*pieces, sentence] if sentence else pieces
