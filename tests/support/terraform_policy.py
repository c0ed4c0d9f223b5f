"""What a plan of terraform/ must and must not hold: pure checks that return what they found."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from scripts.tables import entry_of
from shared.adapters.documents.firestore import EXPIRES_AT
from shared.adapters.tables.rules import view_sql
from shared.bootstrap import ADAPTERS
from shared.config import PREFIX, Settings
from shared.tables import TABLES

DEAD_LETTERS = "dead-lettered"
LONGEST_ACK_DEADLINE_SECONDS = 600
REPLY_MARGIN_SECONDS = 30
WEEK_SECONDS = 7 * 86_400
ALLOWED_ROLES = {
    "google_bigquery_dataset_iam_member": {"roles/bigquery.dataEditor"},
    "google_cloud_run_v2_job_iam_member": {
        "projects/p/roles/geminivideoJobStarter",
        "projects/p/roles/geminivideoJobWatcher",
    },
    "google_cloud_run_v2_service_iam_member": {"roles/run.invoker"},
    "google_project_iam_member": {
        "roles/artifactregistry.writer",
        "roles/bigquery.jobUser",
        "roles/datastore.user",
        "roles/logging.logWriter",
        "roles/secretmanager.secretAccessor",
        "roles/storage.objectUser",
    },
    "google_pubsub_subscription_iam_member": {"roles/pubsub.subscriber"},
    "google_pubsub_topic_iam_member": {"roles/pubsub.publisher"},
    "google_service_account_iam_member": {"roles/iam.serviceAccountTokenCreator"},
    "google_storage_bucket_iam_member": {"roles/storage.objectUser", "roles/storage.objectViewer"},
}
NARROWED_ROLES = {
    "roles/datastore.user",
    "roles/secretmanager.secretAccessor",
    "roles/storage.objectUser",
}
"""Rights to data, which in a whole project are too wide without a condition."""
EVERYBODY = {"allUsers", "allAuthenticatedUsers"}
PORTS_IN_THE_CLOUD = {"files", "bus", "documents", "secrets", "schedules", "jobs", "tables"}
Values = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The planned values of a `terraform show -json`, and the stages that they follow from."""

    content: dict[str, Any]
    stages: dict[str, dict[str, Any]]
    jobs: dict[str, dict[str, Any]]
    gpu: str = ""
    council: dict[str, Any] = field(default_factory=dict)
    copywriter: str = ""
    project: str = "p"

    def all(self, kind: str, name: str = "") -> dict[str, Values]:
        """Planned values by the key of for_each (or the name) of the resources of a type."""
        return {
            str(resource.get("index", resource["name"])): resource["values"]
            for resource in self.resources()
            if resource["type"] == kind and name in ("", resource["name"])
        }

    def resources(self) -> list[dict[str, Any]]:
        """Every planned resource."""
        planned: list[dict[str, Any]] = self.content["planned_values"]["root_module"]["resources"]
        return planned

    def unknown(self, address: str) -> dict[str, Any]:
        """Which values of a resource are known only after apply."""
        changes = {change["address"]: change for change in self.content["resource_changes"]}
        after: dict[str, Any] = changes[address]["change"]["after_unknown"]
        return after

    def account(self, worker: str) -> str:
        """The e-mail of a stage's or job's own account."""
        return f"{account_id(worker)}@{self.project}.iam.gserviceaccount.com"

    @property
    def workers(self) -> dict[str, dict[str, Any]]:
        """Whoever has an account: stages by name, jobs by their place in the ledger."""
        return {**self.stages, **{f"job_{name}": job for name, job in self.jobs.items()}}

    @property
    def pushed(self) -> dict[str, dict[str, Any]]:
        """The stages that a subscription calls."""
        return {name: stage for name, stage in self.stages.items() if not stage.get("http")}


def declared_stages(root: Path) -> dict[str, dict[str, Any]]:
    """functions/stages.yaml as Terraform reads it."""
    stages: dict[str, dict[str, Any]] = yaml.safe_load(
        (root / "functions" / "stages.yaml").read_text()
    )
    return stages


def declared_jobs(root: Path) -> dict[str, dict[str, Any]]:
    """containers/jobs.yaml as Terraform reads it."""
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(
        (root / "containers" / "jobs.yaml").read_text()
    )
    return jobs


Check = Callable[[Plan], Iterator[str]]


def account_id(worker: str) -> str:
    """What a stage's or job's account is called."""
    name = cloud_name(worker)
    return name if worker.startswith("job_") else f"stage-{name}"


def cloud_name(stage: str) -> str:
    """A stage's name in the cloud."""
    return stage.replace("_", "-")


def check_functions(plan: Plan) -> Iterator[str]:
    """Each stage is one function of its own account, of its own declared size, and private."""
    functions = plan.all("google_cloudfunctions2_function")
    if set(functions) != set(plan.stages):
        yield f"functions {sorted(functions)} are not the stages {sorted(plan.stages)}"
    for name, function in functions.items():
        stage, service, build = (
            plan.stages[name],
            function["service_config"][0],
            function["build_config"][0],
        )
        expected = {
            "name": (function["name"], cloud_name(name)),
            "event_trigger": (function["event_trigger"], []),
            "entry_point": (build["entry_point"], name),
            "runtime": (build["runtime"], "python311"),
            "account": (service["service_account_email"], plan.account(name)),
            "memory": (service["available_memory"], f"{stage['memory_mib']}Mi"),
            "timeout": (service["timeout_seconds"], stage["timeout_seconds"]),
            "max_instances": (service["max_instance_count"], stage.get("max_instances", 10)),
            "ingress": (
                service["ingress_settings"],
                "ALLOW_ALL" if stage.get("http") else "ALLOW_INTERNAL_ONLY",
            ),
        }
        for what, (actual, wanted) in expected.items():
            if actual != wanted:
                yield f"function {name}: {what} is {actual!r}, not {wanted!r}"
        if stage["requirements"] != "base" and service["max_instance_request_concurrency"] != 1:
            yield f"function {name}: two videos at once do not fit into its memory"


def check_environment(plan: Plan) -> Iterator[str]:
    """Each function runs on the cloud's adapters, with settings that exist and no secret."""
    for name, function in plan.all("google_cloudfunctions2_function").items():
        variables: dict[str, str] = function["service_config"][0]["environment_variables"]
        yield from environment_findings(plan, f"function {name}", variables)
        timeout = str(plan.stages[name]["timeout_seconds"])
        if variables.get(f"{PREFIX}STAGE_TIMEOUT_SECONDS") != timeout:
            yield f"function {name}: it does not know its own timeout"


def environment_findings(plan: Plan, who: str, variables: dict[str, str]) -> Iterator[str]:
    """What a function and a job must both find around them."""
    settings = {key.removeprefix(PREFIX).lower(): value for key, value in variables.items()}
    if unknown := set(settings) - set(Settings.model_fields):
        yield f"{who}: no such settings: {sorted(unknown)}"
    for port in PORTS_IN_THE_CLOUD:
        scheme = settings.get(port, "").partition("://")[0]
        if scheme not in ADAPTERS[port] or scheme in ("file", "sqlite", "process", "duckdb"):
            yield f"{who}: {port} is {settings.get(port)!r}, not a cloud's"
    if settings.get("log_format") != "json" or settings.get("google_project") != plan.project:
        yield f"{who}: its log lines are not for Cloud Logging"
    if any(re.search("TOKEN|PASSWORD|_KEY|CREDENTIAL", key) for key in variables):
        yield f"{who}: a secret in the environment; it belongs into Secret Manager"


def check_bundles(plan: Plan) -> Iterator[str]:
    """Each function is deployed from the zip that is named by its content."""
    objects = plan.all("google_storage_bucket_object")
    for name, function in plan.all("google_cloudfunctions2_function").items():
        source = function["build_config"][0]["source"][0]["storage_source"][0]
        if not re.fullmatch(rf"{name}-[0-9a-f]{{16}}\.zip", source["object"]):
            yield f"function {name}: its source {source['object']!r} is not named by its content"
        if objects.get(name, {}).get("name") != source["object"]:
            yield f"function {name}: its source is not uploaded"


def check_subscriptions(plan: Plan) -> Iterator[str]:
    """Each stage is pushed to with a token, retried with backoff, and gives up to dead letters."""
    subscriptions = plan.all("google_pubsub_subscription")
    if set(subscriptions) != set(plan.pushed):
        yield f"subscriptions {sorted(subscriptions)} are not the stages {sorted(plan.pushed)}"
    for name, subscription in subscriptions.items():
        takes = plan.stages[name]["takes"]
        if subscription["name"] != cloud_name(name):
            yield f"subscription {name}: dead letters name their stage by it"
        if subscription["topic"] != topic_id(plan, takes):
            yield f"subscription {name}: takes {subscription['topic']!r}, not {takes}"
        if subscription["expiration_policy"] != [{"ttl": ""}]:
            yield f"subscription {name}: deleted when nothing happens for a month"
        if subscription["message_retention_duration"] != f"{WEEK_SECONDS}s":
            yield f"subscription {name}: messages are not kept for a week"
        deadline = subscription["ack_deadline_seconds"]
        shortest = plan.stages[name]["timeout_seconds"] + REPLY_MARGIN_SECONDS
        if not shortest <= deadline <= LONGEST_ACK_DEADLINE_SECONDS:
            yield f"subscription {name}: ack deadline {deadline} s, at least {shortest} s is needed"
        yield from retry_findings(plan, name, subscription)
        yield from push_findings(plan, name, subscription)


def retry_findings(plan: Plan, name: str, subscription: Values) -> Iterator[str]:
    """Backoff and attempts are those of the local queue; the recorder has no dead letters."""
    limits = {field: Settings.model_fields[field].default for field in Settings.model_fields}
    backoff = {
        "minimum_backoff": f"{limits['retry_min_seconds']}s",
        "maximum_backoff": f"{limits['retry_max_seconds']}s",
    }
    if subscription["retry_policy"] != [backoff]:
        yield f"subscription {name}: backoff {subscription['retry_policy']}, not {backoff}"
    policy = {
        "dead_letter_topic": topic_id(plan, DEAD_LETTERS),
        "max_delivery_attempts": limits["max_delivery_attempts"],
    }
    wanted = [] if plan.stages[name]["takes"] == DEAD_LETTERS else [policy]
    actual = subscription["dead_letter_policy"]
    if actual != wanted:
        yield f"subscription {name}: dead letters {actual}, not {wanted}"


def push_findings(plan: Plan, name: str, subscription: Values) -> Iterator[str]:
    """The caller proves who it is, to this function and no other."""
    caller = f"pubsub-push@{plan.project}.iam.gserviceaccount.com"
    for push in subscription["push_config"] or [{"oidc_token": []}]:
        if [token.get("service_account_email") for token in push["oidc_token"]] != [caller]:
            yield f"subscription {name}: not pushed with a token of {caller}"
    unknown = plan.unknown(f'google_pubsub_subscription.stage["{name}"]').get("push_config", [])
    for push in unknown:
        if not push.get("push_endpoint") or not push.get("oidc_token", [{}])[0].get("audience"):
            yield f"subscription {name}: endpoint and audience are not the function's own address"


def check_topics(plan: Plan) -> Iterator[str]:
    """Each topic that a stage takes or emits is there, and dead letters are read by somebody."""
    topics = plan.all("google_pubsub_topic")
    needed = {DEAD_LETTERS, *(stage["takes"] for stage in plan.pushed.values())}
    needed |= {topic for worker in plan.workers.values() for topic in worker.get("emits", [])}
    if set(topics) != needed:
        yield f"topics {sorted(topics)} are not those of stages.yaml: {sorted(needed)}"
    for name, topic in topics.items():
        if topic["message_retention_duration"] != f"{WEEK_SECONDS}s":
            yield f"topic {name}: messages are not kept for a week"
    read = {item["topic"] for item in plan.all("google_pubsub_subscription").values()}
    if topic_id(plan, DEAD_LETTERS) not in read:
        yield "dead letters have no subscription: they would be lost"


def check_dead_letter_rights(plan: Plan) -> Iterator[str]:
    """Pub/Sub itself may forward: publish dead letters and acknowledge the originals."""
    publishers = plan.all("google_pubsub_topic_iam_member", "dead_letters").values()
    if [item["topic"] for item in publishers] != [DEAD_LETTERS]:
        yield "Pub/Sub may not publish dead letters"
    retried = {name for name, stage in plan.pushed.items() if stage["takes"] != DEAD_LETTERS}
    if missing := retried - set(plan.all("google_pubsub_subscription_iam_member", "dead_letters")):
        yield f"Pub/Sub may not take dead letters from {sorted(missing)}"


def check_roles(plan: Plan) -> Iterator[str]:
    """Only known roles on the narrowest resource, added and never replaced, and no keys."""
    for resource in plan.resources():
        kind, values = resource["type"], resource["values"]
        if kind == "google_service_account_key" or "_iam_policy" in kind or "_iam_binding" in kind:
            yield f"{resource['address']}: {kind} is not allowed"
        if "_iam_member" in kind and values["role"] not in ALLOWED_ROLES.get(kind, set()):
            yield f"{resource['address']}: role {values['role']} is not allowed"
        narrowed = kind != "google_project_iam_member" or values["condition"]
        if values.get("role") in NARROWED_ROLES and not narrowed:
            yield f"{resource['address']}: {values['role']} for all data of the project"
        if "_iam_member" in kind and values.get("member") in EVERYBODY:
            stage = plan.stages.get(str(resource.get("index")), {})
            if not stage.get("http") or values["role"] != "roles/run.invoker":
                yield f"{resource['address']}: open to {values['member']}"


def check_accounts(plan: Plan) -> Iterator[str]:
    """One account a stage, with the rights of its own line of stages.yaml and no others."""
    accounts = plan.all("google_service_account", "stage")
    wanted = {name: account_id(name) for name in plan.workers}
    if {name: account["account_id"] for name, account in accounts.items()} != wanted:
        yield f"accounts {sorted(accounts)} are not one a stage"
    if long := [account for account in wanted.values() if not 6 <= len(account) <= 30]:
        yield f"account ids must have 6-30 characters: {long}"
    expected = {
        (topic, f"serviceAccount:{plan.account(name)}")
        for name, worker in plan.workers.items()
        for topic in worker.get("emits", [])
    }
    emits = plan.all("google_pubsub_topic_iam_member", "emits").values()
    if {(item["topic"], item["member"]) for item in emits} != expected:
        yield "who may publish what does not follow from what the stages emit"
    for name, item in plan.all("google_project_iam_member", "documents").items():
        own = item["member"] == f"serviceAccount:{plan.account(name)}"
        if not own or "/databases/" not in str(item["condition"]):
            yield f"stage {name}: its right to documents is not its own or not to one database"


def check_callers(plan: Plan) -> Iterator[str]:
    """Pub/Sub's push account may call each stage that is pushed to; nobody else is named."""
    invokers = plan.all("google_cloud_run_v2_service_iam_member", "push")
    caller = f"serviceAccount:pubsub-push@{plan.project}.iam.gserviceaccount.com"
    called = {item["name"] for item in invokers.values() if item["member"] == caller}
    if called != {cloud_name(name) for name in plan.pushed}:
        yield f"the push account may call {sorted(called)}, not exactly the stages"


def check_storage(plan: Plan) -> Iterator[str]:
    """Buckets are private; only uploads start the pipeline, and only uploads are cleared away."""
    buckets = plan.all("google_storage_bucket")
    for name, bucket in buckets.items():
        if bucket["public_access_prevention"] != "enforced":
            yield f"bucket {name}: may be made public"
        if not bucket["uniform_bucket_level_access"]:
            yield f"bucket {name}: single files may have other rights"
    files = buckets["files"]
    kept = files["soft_delete_policy"][0]["retention_duration_seconds"]
    if kept < WEEK_SECONDS or files["force_destroy"]:
        yield "bucket files: what is deleted by mistake cannot be brought back"
    for rule in files["lifecycle_rule"]:
        deletes = rule["action"][0]["type"] == "Delete"
        if deletes and rule["condition"][0]["matches_prefix"] != ["uploads/"]:
            yield "bucket files: a lifecycle rule deletes more than uploads"
    actions = {rule["action"][0]["type"] for rule in files["lifecycle_rule"]}
    if actions != {"Delete", "AbortIncompleteMultipartUpload"}:
        yield f"bucket files: lifecycle actions are {sorted(actions)}"
    for notification in plan.all("google_storage_notification").values():
        if notification["object_name_prefix"] != "uploads/":
            yield "our own outputs would trigger the pipeline"
        if notification["event_types"] != ["OBJECT_FINALIZE"]:
            yield "more than finished uploads would trigger the pipeline"
        if notification["topic"] != topic_id(plan, "upload-finalized"):
            yield "uploads are announced on the wrong topic"


def check_documents(plan: Plan) -> Iterator[str]:
    """The database outlives mistakes, and documents with an expiry do not outlive it."""
    for kind, expiry in plan.all("google_firestore_field").items():
        if expiry["field"] != EXPIRES_AT or not expiry["ttl_config"]:
            yield f"documents {kind}: {expiry['field']!r} does not delete what has expired"
    for name, database in plan.all("google_firestore_database").items():
        if database["delete_protection_state"] != "DELETE_PROTECTION_ENABLED":
            yield f"database {name}: not protected from deletion"
        if database["point_in_time_recovery_enablement"] != "POINT_IN_TIME_RECOVERY_ENABLED":
            yield f"database {name}: no way back to an hour ago"


def check_tables(plan: Plan) -> Iterator[str]:
    """Rows and views are those of shared/tables.py, and outlive mistakes."""
    rows = plan.all("google_bigquery_table", "rows")
    views = plan.all("google_bigquery_table", "view")
    if set(rows) != set(TABLES) or set(views) != set(TABLES):
        yield f"tables {sorted(rows)} and views {sorted(views)} are not {sorted(TABLES)}"
    for name, table in rows.items():
        if json.loads(table["schema"]) != entry_of(TABLES[name])["schema"]:
            yield f"table {name}: its columns are not those of shared/tables.py"
        if not table["deletion_protection"]:
            yield f"table {name}: not protected from deletion"
        if table["clustering"][0] != "tenant_id":
            yield f"table {name}: a question of one tenant would read the rows of all"
    for name, view in views.items():
        place = f"{plan.project}.{view['dataset_id']}"
        rows_of_view = f"`{place}.{TABLES[name].rows_name}`"
        if view["view"][0]["query"] != view_sql(TABLES[name], rows_of_view):
            yield f"view {name}: does not keep one row per row id"
    for dataset in plan.all("google_bigquery_dataset").values():
        if dataset["delete_contents_on_destroy"] or dataset["max_time_travel_hours"] != "168":
            yield "dataset: what is deleted by mistake cannot be brought back"


def check_table_rights(plan: Plan) -> Iterator[str]:
    """Only stages that use tables may write and ask them."""
    for kind in ("google_bigquery_dataset_iam_member", "google_project_iam_member"):
        name = "tables" if kind == "google_bigquery_dataset_iam_member" else "queries"
        users = {item["member"] for item in plan.all(kind, name).values()}
        wanted_users = {
            f"serviceAccount:{plan.account(stage)}"
            for stage, declared in plan.stages.items()
            if "tables" in declared.get("uses", [])
        }
        if users != wanted_users:
            yield f"{kind}.{name}: {sorted(users)} are not the stages that use tables"


def check_schedules(plan: Plan) -> Iterator[str]:
    """Each stage with a schedule has its clock, which publishes what the stage takes."""
    jobs = plan.all("google_cloud_scheduler_job")
    timed = {name: stage for name, stage in plan.stages.items() if stage.get("schedule")}
    if set(jobs) != set(timed):
        yield f"schedules {sorted(jobs)} are not those of stages.yaml: {sorted(timed)}"
    for name, job in jobs.items():
        target = job["pubsub_target"][0]["topic_name"]
        wanted = (timed[name]["schedule"], "Etc/UTC", topic_id(plan, timed[name]["takes"]))
        if (job["schedule"], job["time_zone"], target) != wanted:
            yield f"schedule {name}: {job['schedule']} {job['time_zone']} to {target}, not {wanted}"


def topic_id(plan: Plan, topic: str) -> str:
    """The full name of a topic."""
    return f"projects/{plan.project}/topics/{topic}"


CHECKS: tuple[Check, ...] = (
    check_functions,
    check_environment,
    check_bundles,
    check_subscriptions,
    check_topics,
    check_dead_letter_rights,
    check_roles,
    check_accounts,
    check_callers,
    check_storage,
    check_documents,
    check_tables,
    check_table_rights,
    check_schedules,
)
