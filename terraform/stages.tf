# functions/stages.yaml, read once; every other file loops over these.

locals {
  declared = yamldecode(file("${path.module}/../functions/stages.yaml"))

  # Each stage with what it leaves to the default. A cloud name is the stage's with hyphens.
  stages = {
    for name, stage in local.declared : name => {
      cloud_name = replace(name, "_", "-")
      account_id = "stage-${replace(name, "_", "-")}" # an account id has at least 6 characters
      takes      = try(stage.takes, null)
      emits      = try(tolist(stage.emits), [])
      uses       = try(tolist(stage.uses), ["files"]) # `uses: []` for a stage that reads no file
      heavy      = stage.requirements != "base"
      memory     = "${stage.memory_mib}Mi"
      # The reading process must meet its own limit before the platform stops the instance.
      decoding        = stage.requirements == "base" ? {} : { GEMINIVIDEO_MAX_DECODE_MEMORY_BYTES = tostring(floor(stage.memory_mib * 1048576 * 0.7)) }
      cpu             = tostring(try(stage.cpu, 1))
      timeout_seconds = stage.timeout_seconds
      min_instances   = try(stage.min_instances, 0)
      max_instances   = try(stage.max_instances, 10)
      schedule        = try(stage.schedule, null)
      http            = try(stage.http, false)
      starts          = try(stage.starts, null)
    }
  }

  pushed    = { for name, stage in local.stages : name => stage if !stage.http }
  public    = { for name, stage in local.stages : name => stage if stage.http }
  scheduled = { for name, stage in local.stages : name => stage if stage.schedule != null }

  # The stage that takes dead letters has no dead letters of its own: they would loop.
  dead_letter_topic = "dead-lettered"
  retried           = { for name, stage in local.pushed : name => stage if stage.takes != local.dead_letter_topic }

  topics = toset(concat(
    [local.dead_letter_topic],
    [for stage in local.pushed : stage.takes],
    flatten([for worker in local.workers : worker.emits]),
  ))

  bundles_dir = coalesce(var.bundles_dir, "${path.module}/../dist/bundles")
  bundles = {
    for name in keys(local.stages) :
    name => one(fileset(local.bundles_dir, "${name}-????????????????.zip"))
  }
}

check "bundles" {
  assert {
    condition     = alltrue([for bundle in values(local.bundles) : bundle != null])
    error_message = "Not in ${local.bundles_dir}: ${join(", ", [for name, bundle in local.bundles : name if bundle == null])}. Run `python -m scripts.bundle` before apply."
  }
}
