locals {
  # One file a query; fields are those of docs/events.md. Saved under oomdrill/NAME/ in Logs Insights.
  queries = {
    for file in fileset("${path.module}/queries", "*.query") :
    trimsuffix(file, ".query") => trimspace(file("${path.module}/queries/${file}"))
  }

  ours = ["TaskDefinitionFamily", var.name, "ContainerName", var.container_name]
  ecs  = ["ClusterName", local.cluster_name, "ServiceName", aws_ecs_service.this.name]

  widgets = [
    {
      type = "text", x = 0, y = 0, width = 24, height = 2
      properties = {
        markdown = "# ${var.name}: memory\n${local.container_memory} MiB a container, ${var.memory} MiB a task. The first alarm ${local.lead_text["memory-lead"]} ${local.rate_text}."
      }
    },
    {
      type = "metric", x = 0, y = 2, width = 12, height = 7
      properties = {
        title  = "Memory of the fullest task, and the average that hides it"
        region = local.region
        view   = "timeSeries"
        period = 60
        metrics = [
          concat([var.metric_namespace, "MemoryUtilization"], local.ours, [{ stat = "Maximum", label = "fullest, by the probe", period = var.high_resolution ? 10 : 60 }]),
          concat(["AWS/ECS", "MemoryUtilization"], local.ecs, [{ stat = "Maximum", label = "fullest, by ECS" }]),
          concat(["AWS/ECS", "MemoryUtilization"], local.ecs, [{ stat = "Average", label = "average, by ECS" }]),
        ]
        yAxis       = { left = { min = 0, max = 100, label = "%", showUnits = false } }
        annotations = { horizontal = [{ label = "first alarm", value = local.threshold_percent["memory-lead"] }] }
      }
    },
    {
      type = "metric", x = 12, y = 2, width = 12, height = 7
      properties = {
        title  = "Shared memory, which ECS leaves out on cgroup v1"
        region = local.region
        view   = "timeSeries"
        period = 60
        metrics = [
          concat([var.metric_namespace, "SharedMemoryBytes"], local.ours, [{ stat = "Maximum", label = "fullest" }]),
          concat([var.metric_namespace, "SharedMemoryBytes"], local.ours, [{ stat = "Average", label = "average" }]),
        ]
        yAxis       = { left = { min = 0 } }
        annotations = { horizontal = [{ label = "killed here", value = local.bytes }] }
      }
    },
    {
      type = "metric", x = 0, y = 9, width = 8, height = 6
      properties = {
        title  = "Killed for memory"
        region = local.region
        view   = "timeSeries"
        period = 60
        metrics = [
          concat([var.metric_namespace, "oom_killed"], local.ours, [{ stat = "Sum", label = "processes" }]),
          concat([var.metric_namespace, "WorkerOomKills"], local.ours, [{ stat = "Sum", label = "of them workers: the container lives" }]),
          concat(["ECS/ContainerInsights", "RestartCount"], local.ecs, [{ stat = "Sum", label = "restarts in place" }]),
        ]
        yAxis = { left = { min = 0 } }
      }
    },
    {
      type = "metric", x = 8, y = 9, width = 8, height = 6
      properties = {
        title  = "Time to the kill, as forecast"
        region = local.region
        view   = "timeSeries"
        period = 60
        metrics = [
          concat([var.metric_namespace, "TimeToOom"], local.ours, [{ stat = "Minimum", label = "seconds" }]),
        ]
        yAxis       = { left = { min = 0 } }
        annotations = { horizontal = [{ label = "alarm", value = var.forecast_seconds }] }
      }
    },
    {
      type = "metric", x = 16, y = 9, width = 8, height = 6
      properties = {
        title  = "Tasks"
        region = local.region
        view   = "timeSeries"
        period = 60
        metrics = [
          concat(["ECS/ContainerInsights", "DesiredTaskCount"], local.ecs, [{ stat = "Maximum", label = "desired" }]),
          concat(["ECS/ContainerInsights", "RunningTaskCount"], local.ecs, [{ stat = "Minimum", label = "running" }]),
        ]
        yAxis = { left = { min = 0 } }
      }
    },
    {
      type = "log", x = 0, y = 15, width = 24, height = 7
      properties = {
        title  = "Before the kill"
        region = local.region
        view   = "table"
        query  = "SOURCE '${aws_cloudwatch_log_group.this.name}' | ${local.queries["before-the-kill"]}"
      }
    },
  ]

  alarm_widgets = [
    for widget in [{
      type = "alarm", x = 0, y = 22, width = 24, height = 4
      properties = {
        title = "Alarms"
        alarms = concat(
          aws_cloudwatch_composite_alarm.exhaustion[*].arn,
          aws_cloudwatch_composite_alarm.killed[*].arn,
          values(aws_cloudwatch_metric_alarm.this)[*].arn,
        )
      }
    }] : widget if var.alarms
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = concat(local.widgets, local.alarm_widgets) })
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = var.dashboard ? local.queries : {}

  name            = "oomdrill/${var.name}/${each.key}"
  log_group_names = [aws_cloudwatch_log_group.this.name]
  query_string    = each.value
}
