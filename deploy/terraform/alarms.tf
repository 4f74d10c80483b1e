# The alarms that oomdrill proves. The thresholds follow from what must be achieved (var.lead):
#
#   detection = periods until enough of them breach + one until the next evaluation + delivery
#   threshold = 100 % - (lead + detection) x rate / memory

locals {
  bytes      = local.container_memory * 1048576
  dimensions = { TaskDefinitionFamily = var.name, ContainerName = var.container_name }
  service = {
    ClusterName = local.cluster_name
    ServiceName = aws_ecs_service.this.name
  }

  early = {
    memory-lead     = var.high_resolution ? { period = 10, periods = 3, datapoints = 2 } : { period = 60, periods = 1, datapoints = 1 }
    memory-shared   = { period = 60, periods = 1, datapoints = 1 }
    memory-forecast = { period = 60, periods = 1, datapoints = 1 }
  }
  detection_seconds = {
    for name, early in local.early :
    name => early.datapoints * early.period + early.period + var.lead.delivery_seconds
  }
  threshold_percent = {
    for name in ["memory-lead", "memory-shared"] :
    name => coalesce(var.memory_threshold_percent, min(90, max(50, floor(
      100 * (1 - (var.lead.seconds + local.detection_seconds[name]) * var.lead.bytes_per_second / local.bytes)
    ))))
  }
  lead_seconds = merge(
    {
      for name, percent in local.threshold_percent :
      name => floor(local.bytes * (1 - percent / 100) / var.lead.bytes_per_second - local.detection_seconds[name])
    },
    # The probe tells a forecast when it halves the one before, and the filter below leaves out one that it does not trust: so the first
    # that counts may be a quarter of the threshold.
    { memory-forecast = floor(var.forecast_seconds / 4 - local.detection_seconds["memory-forecast"]) },
  )
  lead_text = {
    for name, seconds in local.lead_seconds :
    name => seconds > 0 ? "fires at least ${seconds} s before the kill" : "gives no lead: fires up to ${abs(seconds)} s after the kill"
  }
  rate_text = "of a leak of ${var.lead.bytes_per_second} B/s into ${local.container_memory} MiB"

  # A single one within so many seconds.
  any_within = {
    for seconds in [60, 300] : seconds => {
      statistic  = "Sum", period = seconds, periods = 1, datapoints = 1
      comparison = "GreaterThanThreshold", threshold = 0, missing = "notBreaching"
    }
  }

  # One row an alarm. What they have in common is in the resource.
  all_alarms = {
    memory-lead = merge(local.early["memory-lead"], {
      description = "Memory of the fullest task above ${local.threshold_percent["memory-lead"]} %: ${local.lead_text["memory-lead"]} ${local.rate_text}."
      namespace   = var.metric_namespace
      metric      = "MemoryUtilization"
      dimensions  = local.dimensions
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = local.threshold_percent["memory-lead"]
      missing     = "notBreaching"
      group       = "exhaustion"
    })
    # ECS's formula leaves shared memory out on cgroup v1: a leak of it (memfd, tmpfs, shm) kills at a
    # flat MemoryUtilization. Page cache, which may fill a healthy container, is not counted here.
    memory-shared = merge(local.early["memory-shared"], {
      description = "Shared memory of the fullest task above ${local.threshold_percent["memory-shared"]} % of its limit (MemoryUtilization leaves it out on cgroup v1): ${local.lead_text["memory-shared"]} ${local.rate_text}."
      namespace   = var.metric_namespace
      metric      = "SharedMemoryBytes"
      dimensions  = local.dimensions
      statistic   = "Maximum"
      comparison  = "GreaterThanThreshold"
      threshold   = floor(local.bytes * local.threshold_percent["memory-shared"] / 100)
      missing     = "notBreaching"
      group       = "exhaustion"
    })
    memory-forecast = merge(local.early["memory-forecast"], {
      description = "The probe forecasts a kill in less than ${var.forecast_seconds} s: ${local.lead_text["memory-forecast"]} of a steady leak that takes ${floor(var.forecast_seconds / 2 + 30)} s or longer, whatever its rate."
      namespace   = var.metric_namespace
      metric      = "TimeToOom"
      dimensions  = local.dimensions
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = var.forecast_seconds
      missing     = "notBreaching"
      group       = "exhaustion"
    })
    oom-killed = merge(local.any_within["60"], {
      description = "The kernel killed a process of a task for its memory."
      namespace   = var.metric_namespace
      metric      = "oom_killed"
      dimensions  = local.dimensions
      group       = "killed"
    })
    worker-oom-killed = merge(local.any_within["60"], {
      description = "A worker was killed for its memory and its container lives on: ECS shows nothing of it."
      namespace   = var.metric_namespace
      metric      = "WorkerOomKills"
      dimensions  = local.dimensions
      group       = "killed"
    })
    restarts = {
      description = "${var.restart_alarm.count} or more restarts in place within ${var.restart_alarm.period} s."
      namespace   = "ECS/ContainerInsights"
      metric      = "RestartCount"
      dimensions  = local.service
      statistic   = "Sum"
      period      = var.restart_alarm.period
      periods     = 1
      datapoints  = 1
      comparison  = "GreaterThanOrEqualToThreshold"
      threshold   = var.restart_alarm.count
      missing     = "notBreaching"
      group       = "killed"
    }
    # The other alarms take silence for health; this one does not.
    probe-silent = {
      description = "No memory sample for five minutes: no task runs, or nobody watches it."
      namespace   = var.metric_namespace
      metric      = "MemoryUtilization"
      dimensions  = local.dimensions
      statistic   = "SampleCount"
      period      = 60
      periods     = 5
      datapoints  = 5
      comparison  = "LessThanThreshold"
      threshold   = 1
      missing     = "breaching"
      group       = "watching"
    }
    emf-parsing = merge(local.any_within["300"], {
      description = "CloudWatch could not read lines of the log as metrics."
      namespace   = "AWS/Logs"
      metric      = "EMFParsingErrors"
      dimensions  = { LogGroupName = aws_cloudwatch_log_group.this.name }
      group       = "watching"
    })
    emf-validation = merge(local.any_within["300"], {
      description = "CloudWatch refused metrics in lines of the log."
      namespace   = "AWS/Logs"
      metric      = "EMFValidationErrors"
      dimensions  = { LogGroupName = aws_cloudwatch_log_group.this.name }
      group       = "watching"
    })
  }
  alarms = {
    for name, alarm in local.all_alarms : name => alarm
    if var.alarms && (name != "restarts" || var.restart_policy != null)
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  treat_missing_data  = each.value.missing
  # The composite alarms speak for the groups that they sum up.
  alarm_actions = each.value.group == "watching" || var.notify_each ? [local.topic_arn] : []
  ok_actions    = each.value.group == "watching" || var.notify_each ? [local.topic_arn] : []
  tags          = local.tags
}

check "lead" {
  assert {
    condition     = !var.alarms || local.lead_seconds["memory-lead"] >= var.lead.seconds
    error_message = "The first alarm cannot lead the kill by ${var.lead.seconds} s: with ${local.container_memory} MiB and ${var.lead.bytes_per_second} B/s it ${local.lead_text["memory-lead"]}. Give more memory, high_resolution, or a lower memory_threshold_percent."
  }
}

# --- metrics out of the log, for what the probe writes as fields ---

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = {
    for name, filter in {
      SharedMemoryBytes = {
        pattern = "{ $.event = \"memory.sample\" && $.shmem_bytes >= 0 }"
        value   = "$.shmem_bytes"
        unit    = "Bytes"
      }
      TimeToOom = {
        # Not a forecast that the probe does not trust itself: a container that fills up as it starts. Nor a threshold's, which goes by
        # the working set: page cache in use is in that.
        pattern = "{ $.event = \"memory.growth\" && ($.confidence = \"likely\" || $.confidence = \"certain\") && $.eta_oom_s >= 0 }"
        value   = "$.eta_oom_s"
        unit    = "Seconds"
      }
      WorkerOomKills = {
        pattern = "{ $.event = \"memory.oom_kill\" && $.survived IS TRUE }"
        value   = "1"
        unit    = "Count"
      }
    } : name => filter if var.alarms
  }

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value.pattern

  metric_transformation {
    name      = each.key
    namespace = var.metric_namespace
    value     = each.value.value
    unit      = each.value.unit
    # As in the probe's own metrics, so that tasks of several services do not mix.
    dimensions = {
      TaskDefinitionFamily = "$.family"
      ContainerName        = "$.container_name"
    }
  }
}

# --- one voice for several alarms ---

locals {
  # What whoever is called needs first.
  page = "What, why and the next command: scripts/aws/diagnose --cluster ${local.cluster_name} --service ${aws_ecs_service.this.name}. Runbook: docs/runbook.md"

  # A group's members out of the alarms above, as a rule: any of them.
  rules = {
    for group in ["exhaustion", "killed"] : group => join(" OR ", [
      for name, alarm in local.alarms : "ALARM(\"${aws_cloudwatch_metric_alarm.this[name].alarm_name}\")" if alarm.group == group
    ])
  }
}

resource "aws_cloudwatch_composite_alarm" "killed" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${var.name}-killed"
  alarm_description = "Something of ${var.name} was killed for its memory, or restarts too often. ${local.page}"
  alarm_rule        = local.rules["killed"]
  alarm_actions     = [local.topic_arn]
  ok_actions        = [local.topic_arn]
  tags              = local.tags
}

resource "aws_cloudwatch_composite_alarm" "exhaustion" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${var.name}-memory-exhaustion"
  alarm_description = "Memory of a task of ${var.name} runs out, and no kill is known yet (for ${var.hold_seconds} s after one this alarm is silent). ${local.page}"
  alarm_rule        = local.rules["exhaustion"]
  alarm_actions     = [local.topic_arn]
  ok_actions        = [local.topic_arn]
  tags              = local.tags

  actions_suppressor {
    alarm            = aws_cloudwatch_composite_alarm.killed[0].alarm_name
    extension_period = var.hold_seconds
    wait_period      = 0
  }
}
