# Documents and the ledger.

resource "google_firestore_database" "documents" {
  name                              = var.firestore_database
  location_id                       = coalesce(var.firestore_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  concurrency_mode                  = "OPTIMISTIC"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.deletion_protection ? "ABANDON" : "DELETE"

  depends_on = [google_project_service.api]
}

locals {
  # Documents live in tenants/<tenant>/<kind>/<id>; what has expired is deleted within a day.
  document_kinds = toset([
    "ads", "assets", "call_holds", "call_spend", "clips", "concepts", "dead_letters", "knowledge",
    "ledger", "models", "patterns", "quarantine", "renditions", "uploads"
  ])
}

resource "google_firestore_field" "expiry" {
  for_each = local.document_kinds

  database   = google_firestore_database.documents.name
  collection = each.key
  field      = "expires_at"

  ttl_config {}
  index_config {} # nobody asks for it, and an index on rising times slows all writes
}

# Search by meaning: one index a kind, over the vectors of all-MiniLM-L6-v2.
resource "google_firestore_index" "vectors" {
  for_each = toset(["ads", "clips"])

  database    = google_firestore_database.documents.name
  collection  = each.key
  query_scope = "COLLECTION"

  fields {
    field_path = "__name__"
    order      = "ASCENDING"
  }
  fields {
    field_path = "vector"
    vector_config {
      dimension = 384
      flat {}
    }
  }
}
