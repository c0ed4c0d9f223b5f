# Everything that differs between two installations.

variable "project" {
  description = "Id of an existing Google Cloud project with billing enabled."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.project))
    error_message = "The project must be an id such as my-project-123, not a name or a number."
  }
}

variable "region" {
  description = "Where functions, topics' schedules and files live, for example europe-west1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region must look like europe-west1."
  }
}

variable "firestore_location" {
  description = "Where the documents live; null: the region. It can never be changed afterwards."
  type        = string
  default     = null
}

variable "firestore_database" {
  description = "Name of the Firestore database, so that the project may hold others."
  type        = string
  default     = "geminivideo"
}

variable "bigquery_dataset" {
  description = "Name of the BigQuery dataset, so that the project may hold others."
  type        = string
  default     = "geminivideo"

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.bigquery_dataset))
    error_message = "A dataset has letters, digits and underscores in its name."
  }
}

variable "bundles_dir" {
  description = "Folder of the zips that `python -m scripts.bundle` writes; null: dist/bundles of this checkout."
  type        = string
  default     = null
}

variable "upload_retention_days" {
  description = "Uploads are deleted after this many days; the accepted video is kept under its content id."
  type        = number
  default     = 30

  validation {
    condition     = var.upload_retention_days >= 8 && floor(var.upload_retention_days) == var.upload_retention_days
    error_message = "At least 8 whole days: a message may wait 7 days before it reads its upload."
  }
}

variable "soft_delete_days" {
  description = "How long a deleted file can be brought back: 7 to 90 days, or 0 for not at all."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "Cloud Storage keeps deleted files for 7 to 90 days, or 0 for not at all."
  }
}

variable "deletion_protection" {
  description = "Whether `terraform destroy` must leave the documents and the files alone."
  type        = bool
  default     = true
}

variable "images" {
  description = "The image of each job of containers/jobs.yaml, best by digest."
  type        = map(string)
  default     = {}
}

variable "council" {
  description = "The judges beside the heuristic one, in the order in which money is given out, and their limits; what is not set is the default of shared/config.py."
  type = object({
    judges           = optional(list(string), [])
    weights          = optional(map(number), {})
    deep             = optional(bool)
    deadline_seconds = optional(number)
    video_cap_usd    = optional(number)
    day_cap_usd      = optional(number)
  })
  default = {}

  validation {
    condition     = alltrue([for url in var.council.judges : can(regex("^(video-intelligence://google|(gemini|claude|openai)://[^,[:space:]]+)$", url))])
    error_message = "A judge is gemini://MODEL, claude://MODEL, openai://MODEL or video-intelligence://google."
  }

  validation {
    condition     = alltrue([for cap in [var.council.video_cap_usd, var.council.day_cap_usd] : try(cap >= 0, true)])
    error_message = "A cap is an amount in USD, 0 or more."
  }
}

variable "copywriter" {
  description = "The language model that writes texts for variations, within the council's caps; empty: templates alone."
  type        = string
  default     = ""

  validation {
    condition     = var.copywriter == "" || can(regex("^(gemini|claude|openai)://[^,[:space:]]+$", var.copywriter))
    error_message = "A copywriter is gemini://MODEL, claude://MODEL or openai://MODEL."
  }
}

variable "gpu" {
  description = "The accelerator of jobs that can use one, for example nvidia-l4; empty: they run on CPUs. Its quota must be requested first."
  type        = string
  default     = ""
}
