# Stages that the clock starts. The slot is the publish time: each message carries no data of its own.

resource "google_cloud_scheduler_job" "stage" {
  for_each = local.scheduled

  name      = each.value.cloud_name
  region    = var.region
  schedule  = each.value.schedule
  time_zone = "Etc/UTC"

  pubsub_target {
    topic_name = local.topic_ids[each.value.takes]
    data       = base64encode("{}")
  }

  retry_config {
    retry_count          = 5
    min_backoff_duration = "10s"
    max_backoff_duration = "300s"
  }
}
