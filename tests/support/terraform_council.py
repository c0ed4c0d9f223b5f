"""What a plan must hold of council and copywriter, and the mistakes that the policy finds."""

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
A_COPYWRITER = "claude://model-d?secret=our-writer-key"
LIMITS = ("council_deadline_seconds", "council_video_cap_usd", "council_day_cap_usd")
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
    "copy that nobody writes": (
        'functions.tf: contains(each.value.uses, "copywriter") ? local.copywriter_settings : {} '
        "-> {}",
        "function generate_variations: copywriter is None",
    ),
    "a copywriter without a cap": (
        'copywriter.tf: "GEMINIVIDEO_COUNCIL_DAY_CAP_USD", -> ',
        "function generate_variations: council_day_cap_usd is None",
    ),
    "the copywriter's key for everybody": (
        "copywriter.tf: local.users.copywriter -> local.stages",
        "who may read which keys",
    ),
    "an annotator whose service is off": (
        'council.tf: "videointelligence" if -> "vision" if',
        "videointelligence.googleapis.com is not enabled",
    ),
}


def check_council_settings(plan: Plan) -> Iterator[str]:
    """A stage is told of the judges and the copywriter that it uses, and of what they may cost."""
    for name, function in plan.all("google_cloudfunctions2_function").items():
        variables: dict[str, str] = function["service_config"][0]["environment_variables"]
        told = {
            key.removeprefix(PREFIX).lower(): value
            for key, value in variables.items()
            if key.startswith((f"{PREFIX}COUNCIL", f"{PREFIX}COPYWRITER"))
        }
        wanted = wanted_of(plan, plan.stages[name].get("uses", []))
        if set(told) - set(wanted):
            yield f"function {name}: it is told of judges, and uses none"
            continue
        rules = Settings.model_validate(told).council_rules
        for setting, value in wanted.items():
            if told.get(setting) != value:
                yield f"function {name}: {setting} is {told.get(setting)!r}, not {value!r}"
        if wanted and rules.deadline_seconds + 60 > plan.stages[name]["timeout_seconds"]:
            yield f"function {name}: its council may sit longer than the stage lasts"


def wanted_of(plan: Plan, uses: list[str]) -> dict[str, str]:
    """What a stage must be told of the models that it uses."""
    settings = wanted_settings(plan.council)
    wanted = settings if "council" in uses else {}
    if "copywriter" in uses and plan.copywriter:
        limits = {name: value for name, value in settings.items() if name in LIMITS}
        wanted = {**wanted, **limits, "copywriter": plan.copywriter}
    return wanted


def wanted_settings(council: dict[str, Any]) -> dict[str, str]:
    """What the variable `council` comes to in the environment."""
    given = {f"council_{name}": str(value) for name, value in council.items()}
    wanted = {name: given[name] for name in LIMITS if name in given}
    if council.get("judges"):
        wanted["council"] = ",".join(council["judges"])
    if council.get("weights"):
        wanted["council_weights"] = ",".join(f"{k}={v}" for k, v in council["weights"].items())
    if "deep" in council:
        wanted["council_deep"] = str(council["deep"]).lower()
    return wanted


def check_council_keys(plan: Plan) -> Iterator[str]:
    """Exactly the stages that use language models read exactly the keys of those models."""
    only = {
        "council": keys_of(plan.council.get("judges", [])),
        "copywriter": keys_of([plan.copywriter] if plan.copywriter else []),
    }
    expected = {
        (f"serviceAccount:{plan.account(name)}", only[use])
        for name, stage in plan.stages.items()
        for use in stage.get("uses", [])
        if only.get(use)
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


def keys_of(urls: list[str]) -> str:
    """The condition that lets the keys of some models be read; empty when none has a key."""
    keys = dict.fromkeys(
        read_place(url, scheme).secret
        for url in urls
        if COUNCIL[scheme := urlsplit(url).scheme].startswith("language.")
    )
    return " || ".join(
        f'resource.name.extract("/secrets/{{secret}}/versions/").endsWith("_{key}")' for key in keys
    )


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
