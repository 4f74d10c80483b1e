# The guide's alarms as it wrote them, flaws included, so that `oomdrill evaluate` can show what they
# would have done: two full periods of an average that arrives late, no treatment of missing data,
# and a metric that nobody publishes.

resource "aws_cloudwatch_metric_alarm" "guide_memory_high" {
  count = var.guide_alarms ? 1 : 0

  alarm_name          = "ecs-memory-utilization-high"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = "2"
  metric_name         = "MemoryUtilization"
  namespace           = "AWS/ECS"
  period              = "60"
  statistic           = "Average"
  threshold           = "85"
  alarm_description   = "Memory utilization has exceeded 85%"
  dimensions          = local.service
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "guide_memory_utilization" {
  count = var.guide_alarms ? 1 : 0

  alarm_name          = "memory-utilization"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = "2"
  metric_name         = "MemoryUtilization"
  namespace           = "AWS/ECS"
  period              = "60"
  statistic           = "Average"
  threshold           = "75"
  alarm_description   = "Memory utilization is too high"
  alarm_actions       = [local.topic_arn]
  dimensions          = local.service
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "guide_oom_kills" {
  count = var.guide_alarms ? 1 : 0

  alarm_name          = "oom-kills"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = "1"
  metric_name         = "oom_killed"
  namespace           = "ECS/ContainerInsights"
  period              = "60"
  statistic           = "Sum"
  threshold           = "0"
  alarm_description   = "Container was killed due to OOM"
  alarm_actions       = [local.topic_arn]
  dimensions          = local.service
  tags                = local.tags
}
