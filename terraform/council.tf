# The council's judges: how a stage that uses them is set, and whose keys it may read.

locals {
  # What is null is left to the default of shared/config.py.
  council_settings = {
    for name, value in {
      GEMINIVIDEO_COUNCIL                  = length(var.council.judges) > 0 ? join(",", var.council.judges) : null
      GEMINIVIDEO_COUNCIL_WEIGHTS          = join(",", [for judge, weight in var.council.weights : "${judge}=${weight}"])
      GEMINIVIDEO_COUNCIL_DEEP             = var.council.deep
      GEMINIVIDEO_COUNCIL_DEADLINE_SECONDS = var.council.deadline_seconds
      GEMINIVIDEO_COUNCIL_VIDEO_CAP_USD    = var.council.video_cap_usd
      GEMINIVIDEO_COUNCIL_DAY_CAP_USD      = var.council.day_cap_usd
    } : name => tostring(value) if try(length(tostring(value)) > 0, false)
  }

  # Language models are asked with a key of the tenant; Video Intelligence as the stage's account.
  council_keys = distinct([
    for url in var.council.judges :
    try(regex("[?&]secret=([a-z0-9-]+)", url)[0], "${split(":", url)[0]}-api-key")
    if can(regex("^(gemini|claude|openai)://", url))
  ])
  council_apis = [for url in var.council.judges : "videointelligence" if startswith(url, "video-intelligence://")]
}

# A secret is <tenant>_<name> with no other underscore: the key of every tenant, and nothing else.
resource "google_project_iam_member" "council_keys" {
  for_each = length(local.council_keys) > 0 ? local.users.council : {}

  project = var.project
  role    = "roles/secretmanager.secretAccessor"
  member  = "serviceAccount:${local.emails[each.key]}"

  condition {
    title      = "only-keys-of-judges"
    expression = join(" || ", [for name in local.council_keys : "resource.name.extract(\"/secrets/{secret}/versions/\").endsWith(\"_${name}\")"])
  }
}
