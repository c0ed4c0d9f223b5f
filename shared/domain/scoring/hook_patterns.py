"""The patterns behind the kinds of hooks; each alternative is one line."""

import re


def any_of(*alternatives: str) -> re.Pattern[str]:
    """Matches what any of the alternatives matches, whatever the case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


# What is quoted is somebody else's voice: no question to the viewer, no "you" that means them.
QUOTED = any_of(
    r"\"[^\"\n]{1,200}\"",
    r"(?<!\w)'(?!\w{1,3}\b(?!'))[^'\n]{1,120}(?:\w'\w[^'\n]*)*'(?!\w)",
)

YEAR = r"(?:1[5-9]|20)\d\d(?:s|'s)?(?![\d,.%])"
COUNT = any_of(
    r"(?<![\w,:/'-])(?<!\d\.)(?!" + YEAR + r")[$€£]?\.?\d+(?:[.,]\d+)*[kmb%]?"
    r"(?![\d:/]|th\b|st\b|nd\b|rd\b|\s?(?:am|pm)\b|\.\d"
    r"|(?:-| )?(?:years?|yrs?|months?)(?:-| )old)"
)
AGE_OR_NAME = any_of(
    r"\b(?:at|age|aged|turning|turns|grade|channel|no\.?|number|chapter|part|minute|day|week|step"
    r"|under the age of|(?:was|were|am|is|are) (?:only |just )?)\s$"
)
COUNTED_WORDS = any_of(
    r"^(?:the |these |my |our |here are |top )?"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|hundred|a dozen)\s"
    r"(?:\w+\s)?(?:reasons|ways|things|tips|secrets|steps|facts|mistakes|signs|questions|lessons"
    r"|words|minutes|seconds|hacks|tricks|rules|ideas|habits|myths|lies|products|items|days)\b"
)

QUESTION_OPENING = any_of(
    r"^(?:(?:so|and|but|hey|ok|okay|wait),? )?"
    r"(?:(?:did|do|does|are|is|was|were|can|could|would|will|have|has|should|don't|aren't|isn't"
    r"|didn't|haven't|wouldn't|can't)"
    r" (?:you|your|we|they|he|she|it|i|this|that|anyone|somebody)"
    r"|what if|ever (?:wonder|wish|feel|felt|notice|thought|tried|heard|seen|had)"
    r"|(?:what|who|where|when|why|how) (?:do|does|did|are|is|would|could|can|should)"
    r" (?:you|your|we|i)"
    r"|guess (?:what|who))\b"
)
YOU = any_of(
    r"\b(?:you|your|yours|yourself|yourselves|you're|you'll|you've|you'd|ya|y'all|yall)\b",
    r"(?<![\w.])u(?= (?:are|r|need|want|have|know|can|should|won't|guys)\b)",
)
FIRST_PERSON = any_of(
    r"(?<![\w.])(?:i|i'm|i'll|i've|i'd|im|ive|me|my|mine|myself|we|we're|we'll|we've|we'd|our|ours"
    r"|ourselves|us)(?![\w.]|'[^msdlv])"
)
NAMED_US = re.compile(
    r"\b[Tt]he US\b|\b[Uu][Ss] (?:citizens?|army|navy|government|military|president)\b"
    r"|\bUS\b|\bU\.S"
)
HOW_WHY = any_of(
    r"^(?:[\W\d]*(?:here's|here is|this is|that's|that is|it's|see|learn|discover|find out|and|or"
    r"|exactly)?\s*(?:exactly |just )?)?(?:how|why)\b(?! (?:many|much|old|often|about|come\?))"
)
HERE_IS_WHY = any_of(
    r"\b(?:here's|here is|this is|that's|that is|learn|reasons?|find out|see) (?:exactly )?"
    r"(?:how|why)\b"
)
ASKS_HOW = any_of(
    r"^how (?!to\b|i\b)",
    r"^why (?:would|could|can|do|did|are|should|have|don't) (?:you|your)\b",
)

CONDITION = any_of(r"^(?:if|when|whenever|before|after|next time|the next time|unless|once)\b")
DO_NOT = any_of(
    r"^(?:don't|dont|do not|never) "
    r"(?!you\b|they\b|we\b|i\b|had\b|been\b|thought\b|knew\b|\w+ed\b)"
)

POV = any_of(r"^\W*(?:pov\b|point of view\b|p\.o\.v)", r"\bpov:")
TESTIMONIAL = any_of(
    r"\bi(?:'ve| have)? (?:tried|used|bought|ordered|switched|lost|gained|saved|recommend"
    r"|been using|finally found|swear by|lov(?:e|ed) (?:this|these|my|mine))\b",
    r"\bi never thought i(?:'d| would) (?:find|buy|use|like|love)\b",
    r"\b(?:changed|saved|transformed) my (?:life|skin|hair|sleep|business|morning|body)\b",
    r"\b(?:game|life)[- ]?changer\b",
    r"\b(?:highly|would) recommend\b",
    r"\bmy (?:skin|hair|sleep|clients|results|husband|wife|doctor|dermatologist)"
    r" (?:has|have|is|was|never|noticed|asked|loves|said)\b",
    r"\b(?:best|worst) (?:\w+ ){0,2}i(?:'ve| have)? (?:ever )?"
    r"(?:\w+ed|bought|used|had|tried|worn|made|eaten)\b",
)
REVIEW = any_of(
    r"[★⭐]{3,}",
    r"\b[45](?:\.\d)?(?:[- ]?star| stars| out of 5|/5)\b",
    r"^\".{15,}\"\s*[-~]\s*\w+",
)
BEFORE_AFTER = any_of(
    r"\bbefore (?:and|&|vs\.?|/|->|to) after\b",
    r"\bbefore\s*[/|→>-]+\s*after\b",
    r"\bthen (?:and|vs\.?|&) now\b",
    r"\b(?:used to|no longer|not anymore)\b[^.!?]*\b(?:now|until|but|then)\b",
    r"\bwent from\b[^.!?]*\bto\b",
    r"^(?:\W*)from\b[^.!?]{2,40}\bto\b[^.!?]*\b(?:in|within|after) (?:just |only |under |a )?"
    r"(?:\d+|few|days?|weeks?|months?)\b",
    r"\b(?:day|week|month) (?:1|one)\b[^.!?]*\b(?:day|week|month) \d+",
    r"\b(?:transformation|glow[- ]?up|makeover)\b",
    r"\bbefore i (?:found|tried|used|started|met)\b",
    r"\b(?:after|in) (?:just |only )?\d+ (?:days?|weeks?|months?) of (?:using|wearing|taking)\b",
)
CURIOSITY_GAP = any_of(
    r"\b(?:you won't believe|you'll never (?:guess|believe|look)|what happen(?:s|ed) next"
    r"|the (?:real )?reason|the secret|(?:nobody|no one) (?:tells|told|talks|knows)|little[- ]known"
    r"|wait (?:till|until|for)|the truth (?:about|behind)|turns out|guess (?:what|who|which)"
    r"|this (?:one |simple |weird |little |tiny )+\w+|the one (?:thing|reason|trick|ingredient)"
    r"|here's what|this is what|what (?:if|really)|will (?:surprise|shock|blow)"
    r"|never (?:seen|heard)|hidden|secret(?:s|ly)?|mystery|find out)\b",
    r"\bwhat (?:they|he|she|nobody|no one)"
    r" (?:don't|doesn't|won't|didn't|did|found|saw|said|tells)\b",
    r"(?:\.\s*){3}$",
)
NEGATIVE = any_of(
    r"^(?:\W*)(?:stop|don't|dont|never|avoid|quit|no more|nobody|warning)\b",
    r"\b(?:tired of|sick of|fed up|struggling|mistakes?|wrong|worst|hate|ruin(?:ing|s|ed)?|wasting"
    r"|problem with|scams?|lies|lying to you)\b",
)
STATISTIC = any_of(
    r"\d(?:[\d.,]*\d)?\s?(?:%|percent\b)",
    r"\b\d+ (?:in|out of|of) (?:every )?\d+\b",
    r"\b(?:half|two thirds|most) of (?:all )?\w+",
    r"\b\d{1,3}(?:,\d{3})+\b",
    r"\b\d+(?:\.\d+)?\s?(?:million|billion|thousand|k|x)\b",
)
STORY = any_of(
    r"^(?:\W*)(?:when (?:i|he|she|they|we|my|a|this)|the (?:first |last )?"
    r"(?:time|day|night|moment)\b|one (?:day|night|morning)"
    r"|(?:last|a few|\w+) (?:week|month|year|years|months|weeks) (?:ago|later)?|once"
    r"|it (?:all )?started|growing up)\b",
    r"\b(?:years|months|weeks) ago\b",
    r"\bso i (?:decided|tried|bought|made|quit)\b",
    r"(?:^|[.!?] )(?:and |but )?then (?:he|she|i|they|it|this)\b",
)
OFFER = any_of(
    r"\b\d+\s?% off\b",
    r"[$€£]\s?\d+(?:\.\d+)? off\b",
    r"\bhalf (?:price|off)\b",
    r"\b(?:discount|coupon|promo code|use code|free (?:shipping|trial|gift|sample|delivery)"
    r"|buy (?:one|1|2|two) get|bogo|on sale|flash sale|save (?:up to |an extra )?[$€£]?\d+|deal of"
    r"|giveaway)\b",
)
NEWS = any_of(
    r"^(?:\W*)(?:introducing|meet|announcing|new:|new (?:in|drop|arrival|release|product|feature"
    r"|look)|just (?:launched|dropped|landed)|finally)\b",
    r"\b(?:now available|is here|are here|is back|coming soon|just (?:launched|dropped|released)"
    r"|launch(?:es|ing) (?:today|now|soon))\b",
)
AUTHORITY = any_of(
    r"\b(?:doctors?|dermatologists?|dentists?|scientists?|experts?|physicians?|engineers?|nutritionists?"
    r"|professors?|vets?|nasa|harvard|stanford|fda|usda|clinical(?:ly)?|certified|accredited"
    r"|patented|peer[- ]reviewed|lab[- ]tested|scientifically|award[- ]winning|official)\b",
    r"\b(?:stud(?:y|ies)|research|science|trials?) (?:show|shows|proves?|found|says|suggests?)\b",
    r"\b(?:as (?:seen|featured) (?:in|on)|years of experience|since (?:1[89]|20)\d\d|proven)\b",
)
RESULT_TIME = any_of(
    r"\b(?:in|within|after) (?:just |only |under |less than )?(?:\d+|one|two|three|a few|a) "
    r"(?:minutes?|hours?|days?|weeks?|months?|nights?|uses?|washes)\b",
    r"\bovernight\b",
)
