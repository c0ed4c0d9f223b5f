# containers/jobs.yaml, read once: one Cloud Run job each, started with its event as an override.

locals {
  declared_jobs = yamldecode(file("${path.module}/../containers/jobs.yaml"))

  jobs = {
    for name, job in local.declared_jobs : name => {
      cloud_name      = replace(name, "_", "-")
      account_id      = "job-${replace(name, "_", "-")}"
      emits           = try(tolist(job.emits), [])
      uses            = try(tolist(job.uses), ["files"])
      timeout_seconds = job.timeout_seconds
      retries         = job.retries
      image           = lookup(var.images, name, "${replace(name, "_", "-")}-not-built")
      accelerators    = [for gpu in [var.gpu] : gpu if try(job.gpu, false) && gpu != ""]
      # An L4 is lent with at least 4 CPUs and 16 GiB.
      limits = try(job.gpu, false) && var.gpu != "" ? tomap({
        cpu              = tostring(max(job.cpu, 4))
        memory           = "${max(job.memory_mib, 16384)}Mi"
        "nvidia.com/gpu" = "1"
        }) : tomap({
        cpu    = tostring(job.cpu)
        memory = "${job.memory_mib}Mi"
      })
      # The reading process must meet its own limit before the platform stops the task.
      decode_memory = tostring(floor(job.memory_mib * 1048576 * 0.7))
    }
  }

  # Whoever keeps the ledger: stages by their name, jobs by the place that the ledger gives them.
  workers = merge(local.stages, { for name, job in local.jobs : "job_${name}" => job })

  starters = { for name, stage in local.stages : name => stage.starts if stage.starts != null }
  watched = merge([
    for stage_name, stage in local.users.jobs : {
      for name in keys(local.jobs) : "${stage_name}:${name}" => { stage = stage_name, job = name }
    }
  ]...)
}

check "images" {
  assert {
    condition     = alltrue([for name in keys(local.jobs) : contains(keys(var.images), name)])
    error_message = "No image of ${join(", ", [for name in keys(local.jobs) : name if !contains(keys(var.images), name)])}. Build containers/<job>/Dockerfile, push it, and name it in the variable `images`."
  }
}

resource "google_artifact_registry_repository" "containers" {
  repository_id = "geminivideo"
  location      = var.region
  format        = "DOCKER"
  description   = "Images of containers/"

  depends_on = [google_project_service.api]
}

resource "google_cloud_run_v2_job" "job" {
  for_each = local.jobs

  name                = each.value.cloud_name
  location            = var.region
  deletion_protection = false # it can be made again; what it wrote lies elsewhere

  dynamic "template" {
    for_each = [merge(each.value, {
      account = local.emails["job_${each.key}"]
      environment = merge(local.ports, {
        GEMINIVIDEO_JOB_TIMEOUT_SECONDS     = tostring(each.value.timeout_seconds)
        GEMINIVIDEO_MAX_DECODE_MEMORY_BYTES = each.value.decode_memory
      })
    })]
    iterator = job

    content {
      task_count = 1

      template {
        service_account               = job.value.account
        max_retries                   = job.value.retries
        timeout                       = "${job.value.timeout_seconds}s"
        gpu_zonal_redundancy_disabled = length(job.value.accelerators) > 0 ? true : null

        containers {
          image = job.value.image

          resources {
            limits = job.value.limits
          }

          dynamic "env" {
            for_each = job.value.environment

            content {
              name  = env.key
              value = env.value
            }
          }
        }

        dynamic "node_selector" {
          for_each = job.value.accelerators

          content {
            accelerator = node_selector.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.api]
}

# Its event is an override, for which run.invoker does not suffice.
resource "google_project_iam_custom_role" "job_starter" {
  role_id     = "geminivideoJobStarter"
  title       = "Starts GeminiVideo's jobs with an event"
  permissions = ["run.jobs.run", "run.jobs.runWithOverrides"]
}

resource "google_project_iam_custom_role" "job_watcher" {
  role_id     = "geminivideoJobWatcher"
  title       = "Sees and stops the executions of GeminiVideo's jobs"
  permissions = ["run.executions.cancel", "run.executions.get"]
}

resource "google_cloud_run_v2_job_iam_member" "starts" {
  for_each = local.starters

  location = var.region
  name     = google_cloud_run_v2_job.job[each.value].name
  role     = "projects/${var.project}/roles/${google_project_iam_custom_role.job_starter.role_id}"
  member   = "serviceAccount:${local.emails[each.key]}"
}

resource "google_cloud_run_v2_job_iam_member" "watches" {
  for_each = local.watched

  location = var.region
  name     = google_cloud_run_v2_job.job[each.value.job].name
  role     = "projects/${var.project}/roles/${google_project_iam_custom_role.job_watcher.role_id}"
  member   = "serviceAccount:${local.emails[each.value.stage]}"
}
