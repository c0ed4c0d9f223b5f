"""What a plan must hold of the jobs, and the mistakes about them that the policy finds."""

from collections.abc import Iterator

from shared.config import PREFIX
from tests.support.terraform_policy import Check, Plan, cloud_name, environment_findings

CUSTOM_ROLES = {
    "geminivideoJobStarter": {"run.jobs.run", "run.jobs.runWithOverrides"},
    "geminivideoJobWatcher": {"run.executions.cancel", "run.executions.get"},
}
SMALLEST_ON_GPU = (4, 16_384)
"""CPUs and MiB that Cloud Run wants beside an L4."""
LATER_JOB = {
    "retrain": {
        "takes": "training-due",
        "emits": ["model-trained"],
        "requirements": "base",
        "memory_mib": 8192,
        "cpu": 2,
        "timeout_seconds": 3000,
        "retries": 1,
        "gpu": True,
    },
}
JOB_MISTAKES = {
    "a job of somebody else's account": (
        'jobs.tf: local.emails["job_${each.key}"] -> local.emails["ingest"]',
        "job analyze: account",
    ),
    "a job that is never tried again": (
        "jobs.tf: = job.value.retries -> = 0",
        "job analyze: retries is 0",
    ),
    "a job that does not know its time": (
        "jobs.tf: GEMINIVIDEO_JOB_TIMEOUT_SECONDS     = tostring(each.value.timeout_seconds) -> "
        'GEMINIVIDEO_JOB_TIMEOUT_SECONDS = "60"',
        "job analyze: it does not know its own timeout",
    ),
    "stages that may change jobs": (
        'jobs.tf: "run.jobs.run", "run.jobs.runWithOverrides" -> "run.jobs.update"',
        "custom roles hold more",
    ),
    "a stage that may start every job": (
        'jobs.tf: local.emails[each.key] -> local.emails["ingest"]',
        "who may start which job",
    ),
    "a watcher that sees nothing": (
        "jobs.tf: for_each = local.watched -> for_each = {}",
        "who may see and stop jobs",
    ),
}


def check_jobs(plan: Plan) -> Iterator[str]:
    """Each job is one Cloud Run job of its own account and declared size, on a CPU unless told."""
    jobs = plan.all("google_cloud_run_v2_job")
    if set(jobs) != set(plan.jobs):
        yield f"jobs {sorted(jobs)} are not those of jobs.yaml: {sorted(plan.jobs)}"
    for name, job in jobs.items():
        declared, task = plan.jobs[name], job["template"][0]["template"][0]
        (container,) = task["containers"]
        gpu = plan.gpu if declared.get("gpu") else ""
        cpu, memory_mib = declared["cpu"], declared["memory_mib"]
        if gpu:
            cpu, memory_mib = (
                max(pair) for pair in zip((cpu, memory_mib), SMALLEST_ON_GPU, strict=True)
            )
        limits = {"cpu": str(cpu), "memory": f"{memory_mib}Mi"}
        expected = {
            "name": (job["name"], cloud_name(name)),
            "account": (task["service_account"], plan.account(f"job_{name}")),
            "timeout": (task["timeout"], f"{declared['timeout_seconds']}s"),
            "retries": (task["max_retries"], declared["retries"]),
            "tasks": (job["template"][0]["task_count"], 1),
            "limits": (
                container["resources"][0]["limits"],
                {**limits, "nvidia.com/gpu": "1"} if gpu else limits,
            ),
            "GPU": (
                [node["accelerator"] for node in task["node_selector"] or []],
                [gpu] * bool(gpu),
            ),
        }
        for what, (actual, wanted) in expected.items():
            if actual != wanted:
                yield f"job {name}: {what} is {actual!r}, not {wanted!r}"
        variables = {entry["name"]: entry["value"] for entry in container["env"]}
        yield from environment_findings(plan, f"job {name}", variables)
        if variables.get(f"{PREFIX}JOB_TIMEOUT_SECONDS") != str(declared["timeout_seconds"]):
            yield f"job {name}: it does not know its own timeout"


def check_job_rights(plan: Plan) -> Iterator[str]:
    """Only the stage that declares it starts a job, only who uses jobs sees them."""
    roles = plan.all("google_project_iam_custom_role").values()
    if {role["role_id"]: set(role["permissions"]) for role in roles} != CUSTOM_ROLES:
        yield "custom roles hold more, or less, than starting and watching needs"
    starts = plan.all("google_cloud_run_v2_job_iam_member", "starts").values()
    expected = {
        (cloud_name(stage["starts"]), f"serviceAccount:{plan.account(name)}")
        for name, stage in plan.stages.items()
        if stage.get("starts")
    }
    if {(item["name"], item["member"]) for item in starts} != expected:
        yield "who may start which job does not follow from what the stages start"
    if any(not item["role"].endswith("/geminivideoJobStarter") for item in starts):
        yield "a stage may do more to a job than start it"
    watchers = {name for name, stage in plan.stages.items() if "jobs" in stage.get("uses", [])}
    watched = {
        (cloud_name(job), f"serviceAccount:{plan.account(name)}")
        for name in watchers
        for job in plan.jobs
    }
    watches = plan.all("google_cloud_run_v2_job_iam_member", "watches").values()
    if {(item["name"], item["member"]) for item in watches} != watched:
        yield "who may see and stop jobs is not who uses them"


JOB_CHECKS: tuple[Check, ...] = (check_jobs, check_job_rights)
