# What people and scripts need to know after apply.

output "uploads" {
  description = "Where a video is put to be analysed, for the tenant `local`."
  value       = "gs://${google_storage_bucket.files.name}/uploads/local/"
}

output "functions" {
  description = "The address of each stage's function."
  value       = { for name, function in google_cloudfunctions2_function.stage : name => function.service_config[0].uri }
}

output "settings" {
  description = "Settings that point a laptop's command line at this installation."
  value = {
    GEMINIVIDEO_FILES     = "gs://${google_storage_bucket.files.name}"
    GEMINIVIDEO_BUS       = "pubsub://${var.project}"
    GEMINIVIDEO_DOCUMENTS = "firestore://${var.project}/${google_firestore_database.documents.name}"
    GEMINIVIDEO_SECRETS   = "secret-manager://${var.project}"
    GEMINIVIDEO_SCHEDULES = "scheduler://${var.project}/${var.region}"
    GEMINIVIDEO_JOBS      = "run://${var.project}/${var.region}"
    GEMINIVIDEO_TABLES    = "bigquery://${var.project}.${local.dataset_id}"
  }
}
