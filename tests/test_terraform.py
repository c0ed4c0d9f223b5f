"""What terraform/ makes of stages.yaml: planned offline and held against a policy."""

import fcntl
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.bundle import build_bundle
from scripts.stages import ROOT
from scripts.tables import TABLES_FILE, tables_json
from shared.config import Settings
from tests.support.terraform_council import (
    A_COPYWRITER,
    COUNCIL_CHECKS,
    COUNCIL_MISTAKES,
    EVERY_JUDGE,
)
from tests.support.terraform_jobs import JOB_CHECKS, JOB_MISTAKES, LATER_JOB
from tests.support.terraform_policy import CHECKS, Plan, declared_jobs, declared_stages

OFFLINE = ROOT.parent / "shared" / "tools" / "terraform_offline" / "terraform-offline"
FILES = sorted((ROOT / "terraform").glob("*.tf"))
LONGEST_TIMEOUT_SECONDS = 570
STAGE_FIELDS = {
    *("takes", "emits", "requirements", "memory_mib", "cpu", "timeout_seconds", "max_instances"),
    *("min_instances", "schedule", "http", "uses", "starts", "does"),
}
LATER_STAGES = {
    "send_reports": {
        "takes": "reports-due",
        "emits": [],
        "requirements": "base",
        "memory_mib": 512,
        "timeout_seconds": 60,
        "schedule": "0 6 * * *",
        "uses": ["tables"],
    },
    "retrain": {
        "takes": "training-due",
        "emits": [],
        "starts": "retrain",
        "requirements": "base",
        "memory_mib": 512,
        "timeout_seconds": 60,
    },
    "capi_webhook": {
        "takes": "HTTPS",
        "emits": ["conversion-received"],
        "requirements": "base",
        "memory_mib": 512,
        "timeout_seconds": 60,
        "http": True,
        "uses": [],
    },
}
MISTAKES = {
    "a public bucket": (
        'storage.tf: public_access_prevention    = "enforced" -> '
        'public_access_prevention    = "inherited"',
        "may be made public",
    ),
    "rights on single files": (
        "storage.tf: uniform_bucket_level_access = true -> uniform_bucket_level_access = false",
        "single files may have other rights",
    ),
    "a pipeline that starts itself": (
        'storage.tf: object_name_prefix = "uploads/" -> object_name_prefix = null',
        "our own outputs would trigger",
    ),
    "a lifecycle that deletes reports": (
        'storage.tf: matches_prefix = ["uploads/"] -> matches_prefix = []',
        "deletes more than uploads",
    ),
    "no dead letters": (
        "topics.tf: contains(keys(local.retried), each.key) -> false",
        "dead letters [], not",
    ),
    "dead letters of dead letters": (
        "topics.tf: contains(keys(local.retried), each.key) -> true",
        "subscription record_dead_letter: dead letters",
    ),
    "dead letters that Pub/Sub may not publish": (
        "topics.tf: topic  = google_pubsub_topic.event[local.dead_letter_topic].name -> "
        'topic  = "elsewhere"',
        "may not publish dead letters",
    ),
    "too few attempts": (
        "topics.tf: max_delivery_attempts = 10 -> max_delivery_attempts = 5",
        "subscription ingest: dead letters",
    ),
    "no backoff": (
        'topics.tf: minimum_backoff = "10s" -> minimum_backoff = "0s"',
        "subscription ingest: backoff",
    ),
    "a deadline shorter than the work": (
        "topics.tf: ack_deadline_seconds       = local.ack_deadline_seconds -> "
        "ack_deadline_seconds       = 60",
        "ack deadline 60 s",
    ),
    "subscriptions that expire": (
        'topics.tf: ttl = "" -> ttl = "2678400s"',
        "deleted when nothing happens",
    ),
    "a function open to everybody": (
        'iam.tf: member   = "serviceAccount:${local.push_email}" -> member   = "allUsers"',
        "open to allUsers",
    ),
    "an Editor": (
        "iam.tf: roles/datastore.user -> roles/editor",
        "role roles/editor is not allowed",
    ),
    "builds that read all videos": (
        'functions.tf: = ["resource.name.startsWith(\\"projects/_/buckets/gcf-v2-\\")"] -> = []',
        "for all data of the project",
    ),
    "one account for all": (
        'functions.tf: local.emails[each.key] -> local.emails["ingest"]',
        "function analyze: account",
    ),
    "a function on the internet": (
        'functions.tf: "ALLOW_INTERNAL_ONLY" -> "ALLOW_ALL"',
        "ingress is 'ALLOW_ALL'",
    ),
    "two videos in one instance": (
        "functions.tf: each.value.heavy ? 1 : 8 -> 8",
        "two videos at once",
    ),
    "a timeout that the stage does not know": (
        'functions.tf: tostring(each.value.timeout_seconds) -> "3600"',
        "does not know its own timeout",
    ),
    "the laptop's queue in the cloud": (
        'functions.tf: "pubsub://${var.project}" -> "sqlite:///tmp/bus.db"',
        "bus is 'sqlite:///tmp/bus.db'",
    ),
    "a secret in the environment": (
        'functions.tf: GEMINIVIDEO_LOG_FORMAT     = "json" -> '
        'GEMINIVIDEO_LOG_FORMAT = "json"\nGEMINIVIDEO_META_TOKEN = "x"',
        "a secret in the environment",
    ),
    "documents that never expire": (
        "firestore.tf: ttl_config {} -> ",
        "does not delete what has expired",
    ),
    "unprotected tables": (
        "bigquery.tf: deletion_protection = var.deletion_protection -> deletion_protection = false",
        "table predictions: not protected",
    ),
    "views that show rows twice": (
        "bigquery.tf: replace(each.value.view, -> replace("
        '"SELECT * FROM DATASET.${each.value.rows_name}",',
        "view predictions: does not keep one row",
    ),
    "tables open to every stage": (
        "bigquery.tf: for_each = local.users.tables -> for_each = local.stages",
        "are not the stages that use tables",
    ),
    "an unprotected database": (
        'firestore.tf: "DELETE_PROTECTION_ENABLED" -> "DELETE_PROTECTION_DISABLED"',
        "not protected from deletion",
    ),
    **JOB_MISTAKES,
    **COUNCIL_MISTAKES,
}
EVERY_DAY = (
    "a public bucket",
    "no dead letters",
    "a deadline shorter than the work",
    "a function open to everybody",
    "an Editor",
    "one account for all",
    "a job of somebody else's account",
    "a stage that may start every job",
    "every secret of the project",
)
ALL_CHECKS = (*CHECKS, *JOB_CHECKS, *COUNCIL_CHECKS)


@pytest.fixture(scope="module")
def offline() -> Path:
    """The offline tool; skips with the reason where it or terraform is not there."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    if not OFFLINE.is_file():
        pytest.skip("the offline provider (../shared/tools/terraform_offline) is not there")
    return OFFLINE


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of each stage."""
    folder = tmp_path_factory.mktemp("bundles")
    for stage in declared_stages(ROOT):
        build_bundle(stage, folder)
    return folder


def checkout(
    folder: Path,
    bundles: Path,
    stages: dict[str, Any] | None = None,
    jobs: dict[str, Any] | None = None,
) -> Path:
    """A git checkout of only terraform/, stages.yaml, jobs.yaml and the bundles."""
    shutil.copytree(
        ROOT / "terraform", folder / "terraform", ignore=shutil.ignore_patterns(".terraform*")
    )
    shutil.copytree(bundles, folder / "dist" / "bundles")
    (folder / "functions").mkdir()
    (folder / "functions" / "stages.yaml").write_text(
        yaml.safe_dump(stages or declared_stages(ROOT))
    )
    (folder / "containers").mkdir()
    (folder / "containers" / "jobs.yaml").write_text(yaml.safe_dump(jobs or declared_jobs(ROOT)))
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def plan(
    offline: Path,
    folder: Path,
    *,
    gpu: str = "",
    images: bool = True,
    council: dict[str, Any] = EVERY_JUDGE,
    copywriter: str = A_COPYWRITER,
) -> Plan:
    """The offline plan of a checkout; raises CalledProcessError with what terraform said."""
    built = {name: f"images/{name}@sha256:0" for name in declared_jobs(folder)} if images else {}
    variables = ["-var", "project=p", "-var", "region=europe-west1", "-var", f"gpu={gpu}"]
    variables += ["-var", f"images={json.dumps(built)}", "-var", f"council={json.dumps(council)}"]
    variables += ["-var", f"copywriter={copywriter}"]
    # The tool keeps one list of files for the whole machine: two runs at once would mix them up.
    with (Path(tempfile.gettempdir()) / "geminivideo-terraform.lock").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        subprocess.run(
            [str(offline), "plan", str(folder / "terraform"), "plan.json", *variables],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
    content = json.loads((folder / "plan.json").read_text())
    return Plan(content, declared_stages(folder), declared_jobs(folder), gpu, council, copywriter)


def findings(plan: Plan) -> list[str]:
    """Everything that is wrong with a plan; empty when nothing is."""
    return [finding for check in ALL_CHECKS for finding in check(plan)]


@pytest.mark.parametrize(
    ("council", "copywriter"),
    [({}, ""), (EVERY_JUDGE, A_COPYWRITER)],
    ids=["heuristic", "every-judge"],
)
def test_the_plan_keeps_the_policy(
    council: dict[str, Any], copywriter: str, offline: Path, bundles: Path, tmp_path: Path
) -> None:
    made = plan(offline, checkout(tmp_path, bundles), council=council, copywriter=copywriter)
    assert findings(made) == []
    assert [check["status"] for check in made.content["checks"]] == ["pass"] * len(
        made.content["checks"]
    )


def test_schedules_and_webhooks_follow_from_stages_yaml(
    offline: Path, bundles: Path, tmp_path: Path
) -> None:
    stages = {**declared_stages(ROOT), **LATER_STAGES}
    folder = checkout(tmp_path, bundles, stages, {**declared_jobs(ROOT), **LATER_JOB})
    for stage in LATER_STAGES:
        (folder / "dist" / "bundles" / f"{stage}-0123456789abcdef.zip").touch()
    made = plan(offline, folder)
    assert findings(made) == []
    assert made.all("google_cloud_run_v2_service_iam_member", "public").keys() == {"capi_webhook"}
    assert "capi_webhook" not in made.all("google_pubsub_subscription")
    assert made.all("google_cloud_scheduler_job")["watch_jobs"]["name"] == "watch-jobs"
    assert made.all("google_cloud_scheduler_job")["send_reports"]["name"] == "send-reports"
    assert "send_reports" not in made.all("google_storage_bucket_iam_member", "files")
    tabled = {
        name for name, stage in declared_stages(ROOT).items() if "tables" in stage.get("uses", [])
    }
    tabled.add("send_reports")
    assert made.all("google_bigquery_dataset_iam_member").keys() == tabled
    assert made.all("google_project_iam_member", "queries").keys() == tabled


@pytest.mark.parametrize("gpu", ["", "nvidia-l4"])
def test_a_job_follows_from_one_entry(
    gpu: str, offline: Path, bundles: Path, tmp_path: Path
) -> None:
    """On a CPU by default, on a GPU where the variable names one."""
    stages = {**declared_stages(ROOT), **LATER_STAGES}
    folder = checkout(tmp_path, bundles, stages, {**declared_jobs(ROOT), **LATER_JOB})
    for stage in LATER_STAGES:
        (folder / "dist" / "bundles" / f"{stage}-0123456789abcdef.zip").touch()
    made = plan(offline, folder, gpu=gpu)
    assert findings(made) == []
    task = made.all("google_cloud_run_v2_job")["retrain"]["template"][0]["template"][0]
    assert task["gpu_zonal_redundancy_disabled"] == (True if gpu else None)
    assert task["containers"][0]["image"] == "images/retrain@sha256:0"
    assert made.all("google_cloud_run_v2_job_iam_member", "starts").keys() == {
        *declared_jobs(ROOT),
        "retrain",
    }


def test_a_job_without_an_image_is_planned_with_a_warning(
    offline: Path, bundles: Path, tmp_path: Path
) -> None:
    made = plan(offline, checkout(tmp_path, bundles), images=False)
    failed = [check for check in made.content["checks"] if check["status"] == "fail"]
    assert [check["address"]["name"] for check in failed] == ["images"]
    assert "containers/<job>/Dockerfile" in json.dumps(failed).replace("\\u003c", "<").replace(
        "\\u003e", ">"
    )


def test_an_unbuilt_checkout_is_planned_with_a_warning(offline: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    made = plan(offline, checkout(tmp_path / "checkout", tmp_path / "none"))
    failed = [check for check in made.content["checks"] if check["status"] == "fail"]
    assert [check["address"]["name"] for check in failed] == ["bundles"]
    assert "python -m scripts.bundle" in json.dumps(failed)
    assert any("not named by its content" in finding for finding in findings(made))


def test_a_stage_longer_than_a_push_may_last_is_not_planned(
    offline: Path, bundles: Path, tmp_path: Path
) -> None:
    stages = declared_stages(ROOT)
    stages["analyze"]["timeout_seconds"] = LONGEST_TIMEOUT_SECONDS + 1
    with pytest.raises(subprocess.CalledProcessError) as failure:
        plan(offline, checkout(tmp_path, bundles, stages))
    assert "make it a job" in re.sub(r"[\s│]+", " ", failure.value.stderr)


@pytest.mark.parametrize(
    ("council", "told"),
    [
        ({"judges": ["heuristic:/"]}, "A judge is gemini://MODEL"),
        ({"judges": ["gemini://a,claude://b"]}, "A judge is gemini://MODEL"),
        ({"day_cap_usd": -1}, "0 or more"),
        ({"deadline_seconds": 100}, "raise its timeout_seconds of 120"),
    ],
)
def test_a_council_that_could_not_sit_is_not_planned(
    council: dict[str, Any], told: str, offline: Path, bundles: Path, tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        plan(offline, checkout(tmp_path, bundles), council=council)
    assert told in re.sub(r"[\s│]+", " ", failure.value.stderr)


def test_a_copywriter_that_cannot_write_is_not_planned(
    offline: Path, bundles: Path, tmp_path: Path
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        plan(offline, checkout(tmp_path, bundles), copywriter="video-intelligence://google")
    told = re.sub(r"[\s│]+", " ", failure.value.stderr)
    assert "A copywriter is gemini://MODEL, claude://MODEL or openai://MODEL." in told


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(name, marks=() if name in EVERY_DAY else pytest.mark.soak) for name in MISTAKES],
)
def test_the_policy_finds(mistake: str, offline: Path, bundles: Path, tmp_path: Path) -> None:
    change, finding = MISTAKES[mistake]
    folder = checkout(tmp_path, bundles)
    make_mistake(folder / "terraform", change)
    assert any(finding in found for found in findings(plan(offline, folder)))


def make_mistake(terraform: Path, change: str) -> None:
    """Apply `FILE: OLD -> NEW`; OLD must be there, or the mistake would prove nothing."""
    name, _, edit = change.partition(": ")
    old, _, new = edit.partition(" -> ")
    text = (terraform / name).read_text()
    assert old in text
    (terraform / name).write_text(text.replace(old, new))


def test_every_mistake_is_about_code_that_is_there(tmp_path: Path) -> None:
    for number, (change, _) in enumerate(MISTAKES.values()):
        folder = shutil.copytree(ROOT / "terraform", tmp_path / str(number))
        make_mistake(folder, change)
    assert len(MISTAKES) >= 15
    assert len(ALL_CHECKS) >= 12


def test_terraform_is_formatted() -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    command = ["terraform", "fmt", "-check", "-diff", "-no-color", str(ROOT / "terraform")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_one_short_entity_without_broad_rights(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 150
    assert text.startswith("# ")
    for forbidden in ("roles/owner", "roles/editor", "roles/viewer", "allAuthenticatedUsers"):
        assert forbidden not in text
    assert not re.search(r'roles/[\w.]*[aA]dmin"', text)
    assert not re.search(r'resource "google_\w+_iam_(binding|policy)"', text)
    assert "google_service_account_key" not in text


def test_everybody_is_let_in_only_to_webhooks() -> None:
    blocks = [block for path in FILES for block in re.split(r"\n(?=resource )", path.read_text())]
    open_blocks = [block for block in blocks if "allUsers" in block]
    assert len(open_blocks) == 1
    assert open_blocks[0].startswith('resource "google_cloud_run_v2_service_iam_member" "public"')
    assert "for_each = local.public\n" in open_blocks[0]


def test_the_provider_is_pinned() -> None:
    versions = (ROOT / "terraform" / "versions.tf").read_text()
    assert re.search(r'version = "~> 6\.50"', versions)


@pytest.mark.parametrize("stage", declared_stages(ROOT))
def test_a_stage_fits_the_platform(stage: str) -> None:
    declared = declared_stages(ROOT)[stage]
    assert set(declared) <= STAGE_FIELDS
    assert len(f"stage-{stage}") <= 30
    assert 30 <= declared["timeout_seconds"] <= LONGEST_TIMEOUT_SECONDS
    assert declared["cpu"] >= (1 if declared["memory_mib"] <= 4096 else 2)
    assert (ROOT / "requirements" / f"{declared['requirements']}.txt").is_file()


@pytest.mark.parametrize("stage", declared_stages(ROOT))
def test_a_stage_may_touch_only_what_it_uses(stage: str) -> None:
    declared = declared_stages(ROOT)[stage].get("uses", ["files"])
    code = (ROOT / "functions" / stage / "main.py").read_text()
    assert ("files" in declared) == ("app.files" in code or "shared.analysis" in code)
    assert ("tables" in declared) == ("app.tables" in code)
    assert ("council" in declared) == ("app.judges" in code or "app.annotators" in code)
    assert ("copywriter" in declared) == ("plan_concept(" in code)


def test_the_tables_of_terraform_are_those_of_the_code() -> None:
    assert TABLES_FILE.read_text() == tables_json(), "run: python -m scripts.tables"


def test_the_queue_in_the_cloud_retries_like_the_local_one() -> None:
    topics = (ROOT / "terraform" / "topics.tf").read_text()
    local = Settings.model_fields
    assert f'minimum_backoff = "{local["retry_min_seconds"].default}s"' in topics
    assert f'maximum_backoff = "{local["retry_max_seconds"].default}s"' in topics
    assert f"max_delivery_attempts = {local['max_delivery_attempts'].default}\n" in topics


def test_every_kind_of_document_can_expire() -> None:
    text = (ROOT / "terraform" / "firestore.tf").read_text()
    listed = re.search(r"document_kinds = toset\((\[.*?\])\)", text, re.DOTALL)
    assert listed is not None
    paths = [*(ROOT / "shared").glob("*.py"), *(ROOT / "functions").glob("*/main.py")]
    code = "\n".join(path.read_text() for path in paths)
    written = set(re.findall(r'(?:Put|Merge|documents\.put)\(\s*"([a-z_-]+)"', code))
    written |= set(re.findall(r'^KIND = "([a-z_-]+)"', code, re.MULTILINE))
    written |= set(re.findall(r'^    subject_kind = "([a-z_-]+)"', code, re.MULTILINE))
    assert written <= set(json.loads(listed[1]))
