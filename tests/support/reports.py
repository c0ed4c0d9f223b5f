"""Reports without what may differ from run to run."""

import json
from collections.abc import Mapping
from typing import Any


def lasting(report: Mapping[str, Any]) -> dict[str, Any]:
    """A report without how long its parts took, when it was made and what the file was called."""
    copy: dict[str, Any] = json.loads(json.dumps(report))
    copy["pattern"]["extracted_at"] = None
    copy.pop("name", None)
    for analyser in copy["analysers"]:
        analyser["seconds"] = None
    if "verdict" in copy:
        copy["verdict"]["seconds"] = None
        for testimony in copy["verdict"]["testimonies"]:
            testimony["seconds"] = None
    for clip in copy.get("clips", ()):
        clip["made_at"] = clip["name"] = None
    return copy
