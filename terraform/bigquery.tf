# Tables and the views that are read: generated from shared/tables.py by `python -m scripts.tables`.

locals {
  tables     = jsondecode(file("${path.module}/tables.json"))
  dataset_id = google_bigquery_dataset.tables.dataset_id
}

resource "google_bigquery_dataset" "tables" {
  dataset_id                 = var.bigquery_dataset
  location                   = var.region
  description                = "What GeminiVideo measured, predicted and was told."
  max_time_travel_hours      = "168"
  delete_contents_on_destroy = !var.deletion_protection

  depends_on = [google_project_service.api]
}

# Every appended row, also those that were appended twice.
resource "google_bigquery_table" "rows" {
  for_each = local.tables

  dataset_id          = local.dataset_id
  table_id            = each.value.rows_name
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.cluster
  deletion_protection = var.deletion_protection

  time_partitioning {
    type  = "DAY"
    field = each.value.partition
  }
}

# One row a row id: what queries read.
resource "google_bigquery_table" "view" {
  for_each = local.tables

  dataset_id          = local.dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false # a view holds nothing

  view {
    query          = replace(each.value.view, "DATASET", "${var.project}.${var.bigquery_dataset}")
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.rows]
}

resource "google_bigquery_dataset_iam_member" "tables" {
  for_each = local.users.tables

  dataset_id = local.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = "serviceAccount:${local.emails[each.key]}"
}

# To ask is to run a job, and jobs belong to a project; it gives no right to any data.
resource "google_project_iam_member" "queries" {
  for_each = local.users.tables

  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = "serviceAccount:${local.emails[each.key]}"
}
