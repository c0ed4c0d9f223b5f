# Two private buckets: the product's files, and the sources of the functions.

resource "google_storage_bucket" "files" {
  name                        = "${var.project}-geminivideo-files"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.deletion_protection

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * 86400
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = var.upload_retention_days
      matches_prefix = ["uploads/"]
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 2
    }
  }

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket" "sources" {
  name                        = "${var.project}-geminivideo-sources"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # everything in it can be built again

  depends_on = [google_project_service.api]
}

resource "google_storage_bucket_object" "bundle" {
  for_each = local.stages

  bucket       = google_storage_bucket.sources.name
  name         = coalesce(local.bundles[each.key], "${each.key}-not-built.zip")
  source       = "${local.bundles_dir}/${coalesce(local.bundles[each.key], "${each.key}-not-built.zip")}"
  content_type = "application/zip"
}

# Only what lies under uploads/ starts the pipeline: its own outputs never do.
resource "google_storage_notification" "upload_finalized" {
  bucket             = google_storage_bucket.files.name
  topic              = local.topic_ids["upload-finalized"]
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "uploads/"

  depends_on = [google_pubsub_topic_iam_member.storage_agent]
}

resource "google_pubsub_topic_iam_member" "storage_agent" {
  topic  = google_pubsub_topic.event["upload-finalized"].name
  role   = "roles/pubsub.publisher"
  member = local.storage_agent
}
