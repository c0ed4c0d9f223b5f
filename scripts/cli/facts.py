"""What a user says of an ad: a JSON file with the fields of AdFacts."""

from pathlib import Path

from pydantic import ValidationError

from scripts.cli.paths import check_readable
from shared.errors import Rejected
from shared.score_models import AdFacts

MOST_BYTES = 64_000
HELP = "What you know of the ad (platform, headline, audience, ...) as a JSON file."


class FactsInvalid(Rejected):
    """A file that holds no facts of an ad."""


def read_facts(file: Path | None) -> AdFacts:
    """The facts in a file, none without one; raises FileMissing, FactsInvalid naming each field."""
    if file is None:
        return AdFacts()
    check_readable(file)
    content = file.read_bytes()
    if len(content) > MOST_BYTES:
        raise FactsInvalid(f"{file.name}: {len(content)} bytes; at most {MOST_BYTES} are taken")
    try:
        return AdFacts.model_validate_json(content)
    except ValidationError as problem:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in problem.errors()
        )
        known = ", ".join(AdFacts.model_fields)
        raise FactsInvalid(f"{file.name}: {wrong}; the fields are {known}") from problem
