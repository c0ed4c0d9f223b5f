# One function a stage, from its bundle, without an event trigger: its subscription calls it.

locals {
  # What functions and jobs run on.
  ports = {
    GEMINIVIDEO_FILES          = "gs://${google_storage_bucket.files.name}"
    GEMINIVIDEO_BUS            = "pubsub://${var.project}"
    GEMINIVIDEO_DOCUMENTS      = "firestore://${var.project}/${google_firestore_database.documents.name}"
    GEMINIVIDEO_SECRETS        = "secret-manager://${var.project}"
    GEMINIVIDEO_SCHEDULES      = "scheduler://${var.project}/${var.region}"
    GEMINIVIDEO_JOBS           = "run://${var.project}/${var.region}"
    GEMINIVIDEO_TABLES         = "bigquery://${var.project}.${local.dataset_id}"
    GEMINIVIDEO_GOOGLE_PROJECT = var.project
    GEMINIVIDEO_LOG_FORMAT     = "json"
  }
}

resource "google_cloudfunctions2_function" "stage" {
  for_each = local.stages

  name     = each.value.cloud_name
  location = var.region

  build_config {
    runtime         = "python311"
    entry_point     = each.key
    service_account = "projects/${var.project}/serviceAccounts/${local.builder_email}"

    source {
      storage_source {
        bucket = google_storage_bucket.sources.name
        object = google_storage_bucket_object.bundle[each.key].name
      }
    }
  }

  service_config {
    available_memory   = each.value.memory
    available_cpu      = each.value.cpu
    timeout_seconds    = each.value.timeout_seconds
    min_instance_count = each.value.min_instances
    max_instance_count = each.value.max_instances
    ingress_settings   = each.value.http ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"

    # Files in /tmp count as memory: two videos at once would not fit.
    max_instance_request_concurrency = each.value.heavy ? 1 : 8
    all_traffic_on_latest_revision   = true
    service_account_email            = local.emails[each.key]

    environment_variables = merge(local.ports, each.value.decoding, contains(each.value.uses, "council") ? local.council_settings : {}, contains(each.value.uses, "copywriter") ? local.copywriter_settings : {}, {
      GEMINIVIDEO_STAGE_TIMEOUT_SECONDS = tostring(each.value.timeout_seconds)
    })
  }

  lifecycle {
    precondition {
      condition     = length(setintersection(each.value.uses, ["copywriter", "council"])) == 0 || try(var.council.deadline_seconds + 60 <= each.value.timeout_seconds, true)
      error_message = "The models that ${each.key} asks may take ${coalesce(var.council.deadline_seconds, 0)} s, and the stage needs a minute more than that: raise its timeout_seconds of ${each.value.timeout_seconds} in functions/stages.yaml."
    }
  }

  depends_on = [google_project_iam_member.builder, google_storage_bucket_iam_member.builder]
}

resource "google_service_account" "builder" {
  account_id   = "function-builder"
  display_name = "Builds the functions"

  depends_on = [google_project_service.api]
}

locals {
  # What a build needs, as Google's page on custom build accounts lists it; of the files only the
  # platform's copy of the sources, because a build runs other people's code beside our videos.
  builder_roles = {
    "roles/logging.logWriter"       = []
    "roles/artifactregistry.writer" = []
    "roles/storage.objectUser"      = ["resource.name.startsWith(\"projects/_/buckets/gcf-v2-\")"]
  }
}

resource "google_project_iam_member" "builder" {
  for_each = local.builder_roles

  project = var.project
  role    = each.key
  member  = "serviceAccount:${local.builder_email}"

  dynamic "condition" {
    for_each = each.value

    content {
      title      = "only-function-sources"
      expression = condition.value
    }
  }
}

resource "google_storage_bucket_iam_member" "builder" {
  bucket = google_storage_bucket.sources.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${local.builder_email}"
}
