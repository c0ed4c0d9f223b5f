# The model that writes copy: how a stage that uses it is set, and whose key it may read.

locals {
  # It spends within the council's caps. Without a model, nothing is set and templates are enough.
  copywriter_settings = {
    for name, value in merge(local.council_settings, { GEMINIVIDEO_COPYWRITER = var.copywriter }) : name => value
    if var.copywriter != "" && contains([
      "GEMINIVIDEO_COPYWRITER",
      "GEMINIVIDEO_COUNCIL_DEADLINE_SECONDS",
      "GEMINIVIDEO_COUNCIL_VIDEO_CAP_USD",
      "GEMINIVIDEO_COUNCIL_DAY_CAP_USD",
    ], name)
  }

  copywriter_key = try(regex("[?&]secret=([a-z0-9-]+)", var.copywriter)[0], "${split(":", var.copywriter)[0]}-api-key")
}

# A secret is <tenant>_<name> with no other underscore: the key of every tenant, and nothing else.
resource "google_project_iam_member" "copywriter_key" {
  for_each = var.copywriter != "" ? local.users.copywriter : {}

  project = var.project
  role    = "roles/secretmanager.secretAccessor"
  member  = "serviceAccount:${local.emails[each.key]}"

  condition {
    title      = "only-the-key-of-the-copywriter"
    expression = "resource.name.extract(\"/secrets/{secret}/versions/\").endsWith(\"_${local.copywriter_key}\")"
  }
}
