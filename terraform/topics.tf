# One topic an event, one push subscription a stage.

locals {
  # The platform's longest: a push is not sent again while its stage may still be at work.
  ack_deadline_seconds = 600
  message_retention    = "604800s"

  # Written out, where .id is known only after apply: so a plan shows what is joined to what.
  topic_ids = { for name, topic in google_pubsub_topic.event : name => "projects/${var.project}/topics/${topic.name}" }
}

resource "google_pubsub_topic" "event" {
  for_each = local.topics

  name                       = each.key
  message_retention_duration = local.message_retention

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.api]
}

resource "google_pubsub_subscription" "stage" {
  for_each = local.pushed

  name                       = each.value.cloud_name
  topic                      = local.topic_ids[each.value.takes]
  ack_deadline_seconds       = local.ack_deadline_seconds
  message_retention_duration = local.message_retention

  push_config {
    push_endpoint = google_cloudfunctions2_function.stage[each.key].service_config[0].uri

    oidc_token {
      service_account_email = local.push_email
      audience              = google_cloudfunctions2_function.stage[each.key].service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }

  dynamic "dead_letter_policy" {
    for_each = contains(keys(local.retried), each.key) ? [local.dead_letter_topic] : []

    content {
      dead_letter_topic     = local.topic_ids[dead_letter_policy.value]
      max_delivery_attempts = 10
    }
  }

  expiration_policy {
    ttl = "" # never: a quiet month must not delete a subscription
  }

  lifecycle {
    precondition {
      condition     = each.value.timeout_seconds + 30 <= local.ack_deadline_seconds
      error_message = "${each.key} may take ${each.value.timeout_seconds} s, but a push is repeated after ${local.ack_deadline_seconds} s: at most ${local.ack_deadline_seconds - 30} s, or make it a job."
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push]
}

# Pub/Sub itself forwards a dead letter: it publishes to the topic and acknowledges the original.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic  = google_pubsub_topic.event[local.dead_letter_topic].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  for_each = local.retried

  subscription = google_pubsub_subscription.stage[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_service_account" "push" {
  account_id   = "pubsub-push"
  display_name = "Calls the stages for Pub/Sub"

  depends_on = [google_project_service.api]
}

resource "google_service_account_iam_member" "push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}
