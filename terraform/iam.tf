# One account a stage or job, with rights that follow from what it takes, emits and uses.

resource "google_service_account" "stage" {
  for_each = local.workers

  account_id   = each.value.account_id
  display_name = startswith(each.key, "job_") ? "Job ${trimprefix(each.key, "job_")}" : "Stage ${each.key}"

  depends_on = [google_project_service.api]
}

locals {
  # Written out, where .email is known only after apply: so a plan shows who may do what.
  account_domain = "${var.project}.iam.gserviceaccount.com"
  emails         = { for name, account in google_service_account.stage : name => "${account.account_id}@${local.account_domain}" }
  push_email     = "${google_service_account.push.account_id}@${local.account_domain}"
  builder_email  = "${google_service_account.builder.account_id}@${local.account_domain}"
}

# Everybody keeps the ledger, in this database and no other.
resource "google_project_iam_member" "documents" {
  for_each = local.workers

  project = var.project
  role    = "roles/datastore.user"
  member  = "serviceAccount:${local.emails[each.key]}"

  condition {
    title      = "only-${var.firestore_database}"
    expression = "resource.name == \"projects/${var.project}/databases/${var.firestore_database}\""
  }
}

locals {
  emissions = merge([
    for name, stage in local.workers : {
      for topic in stage.emits : "${name}:${topic}" => { stage = name, topic = topic }
    }
  ]...)

  users = {
    for port in ["copywriter", "council", "files", "jobs", "tables"] :
    port => { for name, stage in local.workers : name => stage if contains(stage.uses, port) }
  }
}

resource "google_pubsub_topic_iam_member" "emits" {
  for_each = local.emissions

  topic  = google_pubsub_topic.event[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${local.emails[each.value.stage]}"
}

resource "google_storage_bucket_iam_member" "files" {
  for_each = local.users.files

  bucket = google_storage_bucket.files.name
  role   = "roles/storage.objectUser"
  member = "serviceAccount:${local.emails[each.key]}"
}

# Who may call a stage: Pub/Sub's push account, and for a webhook everybody (it checks signatures).
resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = local.pushed

  location = var.region
  name     = google_cloudfunctions2_function.stage[each.key].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:${local.push_email}"
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = local.public

  location = var.region
  name     = google_cloudfunctions2_function.stage[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
