"""Reports without what may differ from run to run."""

import json
from collections.abc import Mapping
from typing import Any


def lasting(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without how long its parts took and when it was made."""
    copy: dict[str, Any] = json.loads(json.dumps(report))
    copy["pattern"]["extracted_at"] = None
    for analyser in copy["analysers"]:
        analyser["seconds"] = None
    return copy
