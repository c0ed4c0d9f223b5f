# The Google APIs in use. They stay enabled on destroy: others in the project may need them.

resource "google_project_service" "api" {
  for_each = toset(concat(local.council_apis, [
    "artifactregistry", "bigquery", "cloudbuild", "cloudfunctions", "cloudresourcemanager", "cloudscheduler",
    "firestore", "iam", "pubsub", "run", "secretmanager", "storage",
  ]))

  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

data "google_project" "this" {
  project_id = var.project

  depends_on = [google_project_service.api]
}

data "google_storage_project_service_account" "agent" {
  depends_on = [google_project_service.api]
}

locals {
  pubsub_agent  = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  storage_agent = "serviceAccount:${data.google_storage_project_service_account.agent.email_address}"
}
