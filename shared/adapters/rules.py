"""What the adapters of Google's services agree on: how a URL names a place, or a test server."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from shared.errors import ConfigError


@dataclass(frozen=True)
class GooglePlace:
    """A project, a region where the form has one, and `127.0.0.1:PORT` when it is a test's."""

    project: str
    region: str
    endpoint: str


def google_place(url: str, form: str) -> GooglePlace:
    """The parts of a URL like `run://PROJECT/REGION`; raises ConfigError with what was expected.

    `?endpoint=127.0.0.1:PORT` names a test server on this machine, which is asked in plain text.
    """
    parts, wanted = urlsplit(url), urlsplit(form)
    region = re.fullmatch(r"/([a-z0-9-]+)" if wanted.path else "()", parts.path)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    local = re.fullmatch(r"|(127\.0\.0\.1|localhost):[0-9]{1,5}", endpoint)
    if parts.scheme != wanted.scheme or not parts.netloc or not region or not local:
        such = f", such as {wanted.scheme}://my-ads/europe-west1" if wanted.path else ""
        raise ConfigError(
            f"{url!r}: expected {form}{such}, for tests with ?endpoint=127.0.0.1:PORT"
        )
    return GooglePlace(parts.netloc, region[1], endpoint)
