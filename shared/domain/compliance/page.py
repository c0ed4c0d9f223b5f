"""The page of all rules for people: docs/compliance.md, made from the data."""

from collections.abc import Iterator

from shared.domain.compliance.bounds import expected_of
from shared.domain.compliance.claims import claim_book
from shared.domain.compliance.rulebook import PLACEMENTS, Rule, rule_book, safe_zones

INTRODUCTION = """\
# Compliance: what is checked before an ad runs

`scripts/gv check VIDEO --platform meta:reels` measures the file itself, decoded, and judges it by
the rules below: nothing is believed that its header claims. Several placements share one
measurement: `--platform meta` takes all of Meta's, `all` every one.

- **fail**: the placement would refuse it, or viewers would not see what they are meant to see.
- **warn**: it may run; advice of the platform, or our own default, is not followed.
- **unavailable**: it could not be checked here, and why. It is never a pass: an ad with something
  unchecked is a `warn` at best.

The rules are data: `shared/knowledge/platform_rules.json`, `safe_zones.json` and `claims.json`.
Platforms change them without notice. A source that is marked **not verified** was not read on the
publisher's own page but elsewhere (the last column says where): read it there before you rely on
it. Rules marked *ours* are published by nobody; they only warn.

Not checked: interlaced video, edit lists, music rights, what pictures show (bodies before and
after, brands), landing pages, and laws of a country. This page is printed by
`scripts/gv check --rules`.
"""


def rules_page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([INTRODUCTION, *_placements(), *_everywhere(), *_claims(), *_sources()]) + "\n"


def _placements() -> Iterator[str]:
    book, zones = rule_book(), safe_zones()
    for placement in PLACEMENTS:
        zone = zones[placement]
        yield f"## `{placement}`: {book.placements[placement].name}\n"
        yield (
            f"A new render is made {zone.width}x{zone.height}. Text stays out of the top "
            f"{100 * zone.top:.3g}%, bottom {100 * zone.bottom:.3g}%, left {100 * zone.left:.3g}% "
            f"and right {100 * zone.right:.3g}% ({zone.status.kind}: {zone.status.source}).\n"
        )
        yield from _table([r for r in book.placements[placement].rules if r.rule != "safe_zone"])


def _everywhere() -> Iterator[str]:
    yield "## Everywhere, unless a placement says otherwise\n"
    hidden = ("claims_on_screen", "claims_spoken", "claims_in_texts", "ad_text")
    yield from _table([rule for rule in rule_book().everywhere if rule.rule not in hidden])


def _table(rules: list[Rule]) -> Iterator[str]:
    book = rule_book()
    yield "| rule | asked for | breaking it | source |"
    yield "| --- | --- | --- | --- |"
    for rule in rules:
        asked = expected_of(rule)
        if rule.when_ratio:
            asked = f"{rule.when_ratio}: {asked}"
        grades = [name for name, one in (("fail", rule.must), ("warn", rule.should)) if one]
        title = book.words[rule.rule].title
        yield f"| `{rule.rule}` {title} | {asked} | {', '.join(grades)} | {rule.source} |"
    yield ""


def _claims() -> Iterator[str]:
    book = claim_book()
    languages = ", ".join(name for name in book.languages if name != "any")
    yield "## Claims and banned words\n"
    yield (
        "Looked for in what is shown (read from the picture), said (the transcript) and written "
        f"beside the video, in {languages}; a finding names the second. It is a list of phrases, "
        "no lawyer: it misses what is said otherwise, and some of what it finds is harmless.\n"
    )
    yield "| category | grade | otherwise | policies |"
    yield "| --- | --- | --- | --- |"
    for name, category in book.categories.items():
        otherwise = ", ".join(f"{platform}: {grade}" for platform, grade in category.grades.items())
        policies = ", ".join(dict.fromkeys(category.sources.values()))
        yield f"| `{name}` {category.title} | {category.grade} | {otherwise} | {policies} |"
    yield ""


def _sources() -> Iterator[str]:
    yield "## Sources\n"
    yield "| source | page | looked at | verified | what was read |"
    yield "| --- | --- | --- | --- | --- |"
    for name, one in {**rule_book().sources, **claim_book().sources}.items():
        page = one.publisher if name == "ours" else f"[{one.publisher}]({one.url})"
        verified = "yes" if one.verified else "**not verified**"
        yield f"| {name} | {page} | {one.looked_at} | {verified} | {one.seen} |"
