"""What a plan must hold of the council, and the mistakes about it that the policy finds."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from shared.adapters.language.rules import read_place
from shared.bootstrap import COUNCIL
from shared.config import PREFIX, Settings
from tests.support.terraform_policy import Check, Plan

EVERY_JUDGE: dict[str, Any] = {
    "judges": [
        "gemini://model-a",
        "claude://model-b?effort=low&secret=our-claude-key",
        "openai://model-c",
        "video-intelligence://google",
    ],
    "weights": {"gemini": 1.5},
    "deep": True,
    "deadline_seconds": 30,
    "video_cap_usd": 0.25,
    "day_cap_usd": 5,
}
COUNCIL_MISTAKES = {
    "judges for everybody": (
        'functions.tf: contains(each.value.uses, "council") ? local.council_settings : {} -> '
        "local.council_settings",
        "function analyze: it is told of judges",
    ),
    "judges that nobody is told of": (
        'functions.tf: contains(each.value.uses, "council") ? local.council_settings : {} -> {}',
        "function council: council is None",
    ),
    "a cap that is not set": (
        "council.tf: = var.council.video_cap_usd -> = null",
        "function council: council_video_cap_usd is None",
    ),
    "keys of judges for everybody": (
        "council.tf: local.users.council -> local.stages",
        "who may read which keys",
    ),
    "every secret of the project": (
        'council.tf: .endsWith(\\"_${name}\\") -> .endsWith(\\"\\")',
        "who may read which keys",
    ),
    "keys that keep their usual name": (
        'council.tf: try(regex("[?&]secret=([a-z0-9-]+)", url)[0], "${split(":", url)[0]}-api-key")'
        ' -> "${split(":", url)[0]}-api-key"',
        "who may read which keys",
    ),
    "an annotator whose service is off": (
        'council.tf: "videointelligence" if -> "vision" if',
        "videointelligence.googleapis.com is not enabled",
    ),
}


def check_council_settings(plan: Plan) -> Iterator[str]:
    """A stage that uses the council is told of its judges and limits; no other stage is."""
    for name, function in plan.all("google_cloudfunctions2_function").items():
        variables: dict[str, str] = function["service_config"][0]["environment_variables"]
        told = {
            key.removeprefix(PREFIX).lower(): value
            for key, value in variables.items()
            if key.startswith(f"{PREFIX}COUNCIL")
        }
        if "council" not in plan.stages[name].get("uses", []):
            if told:
                yield f"function {name}: it is told of judges, and uses none"
            continue
        rules = Settings.model_validate(told).council_rules
        for setting, value in wanted_settings(plan.council).items():
            if told.get(setting) != value:
                yield f"function {name}: {setting} is {told.get(setting)!r}, not {value!r}"
        if rules.deadline_seconds + 60 > plan.stages[name]["timeout_seconds"]:
            yield f"function {name}: its council may sit longer than the stage lasts"


def wanted_settings(council: dict[str, Any]) -> dict[str, str]:
    """What the variable `council` comes to in the environment."""
    limits = ("deadline_seconds", "video_cap_usd", "day_cap_usd")
    wanted = {f"council_{name}": str(council[name]) for name in limits if name in council}
    if council.get("judges"):
        wanted["council"] = ",".join(council["judges"])
    if council.get("weights"):
        wanted["council_weights"] = ",".join(f"{k}={v}" for k, v in council["weights"].items())
    if "deep" in council:
        wanted["council_deep"] = str(council["deep"]).lower()
    return wanted


def check_council_keys(plan: Plan) -> Iterator[str]:
    """Exactly the stages that use the council read exactly the keys of its language models."""
    keys = dict.fromkeys(
        read_place(url, scheme).secret
        for url in plan.council.get("judges", [])
        if COUNCIL[scheme := urlsplit(url).scheme].startswith("language.")
    )
    only = " || ".join(
        f'resource.name.extract("/secrets/{{secret}}/versions/").endsWith("_{key}")' for key in keys
    )
    expected = {
        (f"serviceAccount:{plan.account(name)}", only)
        for name, stage in plan.stages.items()
        if keys and "council" in stage.get("uses", [])
    }
    readers = {
        (item["member"], "".join(one["expression"] for one in item["condition"]))
        for resource in plan.resources()
        if "_iam_member" in resource["type"]
        for item in [resource["values"]]
        if item["role"].startswith("roles/secretmanager.")
    }
    if readers != expected:
        yield f"who may read which keys: {sorted(readers)}, not {sorted(expected)}"


def check_council_services(plan: Plan) -> Iterator[str]:
    """Google's annotator is asked as the stage's account, so its service is on; else it is not."""
    service = "videointelligence.googleapis.com"
    enabled = {item["service"] for item in plan.all("google_project_service").values()}
    wanted = any(url.startswith("video-intelligence:") for url in plan.council.get("judges", []))
    if wanted != (service in enabled):
        yield f"{service} is {'not ' if wanted else ''}enabled"


COUNCIL_CHECKS: tuple[Check, ...] = (
    check_council_settings,
    check_council_keys,
    check_council_services,
)
