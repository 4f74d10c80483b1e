locals {
  makes_topic = var.sns_topic_arn == null
  topic_arn   = local.makes_topic ? aws_sns_topic.this[0].arn : var.sns_topic_arn
}

resource "aws_sns_topic" "this" {
  count = local.makes_topic ? 1 : 0

  name              = var.name
  kms_master_key_id = var.sns_kms_key_id
  tags              = local.tags
}

resource "aws_sns_topic_policy" "this" {
  count = local.makes_topic ? 1 : 0

  arn = aws_sns_topic.this[0].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Alarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[0].arn
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account }
          ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*" }
        }
      },
      {
        Sid       = "StoppedTasks"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this[0].arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.stopped.arn } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.notification_emails

  topic_arn = local.topic_arn
  protocol  = "email"
  endpoint  = each.value
}

# --- stopped tasks: the container's reason says OutOfMemoryError, the task's does not ---

resource "aws_cloudwatch_event_rule" "stopped" {
  name        = "${var.name}-task-killed"
  description = "A task of ${var.name} stopped and a container of it was killed for its memory, or by SIGKILL (137)"
  tags        = local.tags
  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn        = [local.cluster_arn]
      taskDefinitionArn = [{ prefix = "${aws_ecs_task_definition.this.arn_without_revision}:" }]
      lastStatus        = ["STOPPED"]
      "$or" = [
        { containers = { reason = [{ prefix = "OutOfMemory" }] } },
        { containers = { exitCode = [137] } },
      ]
    }
  })
}

resource "aws_cloudwatch_event_target" "stopped" {
  rule = aws_cloudwatch_event_rule.stopped.name
  arn  = local.topic_arn

  input_transformer {
    input_paths = {
      cluster       = "$.detail.clusterArn"
      containers    = "$.detail.containers"
      group         = "$.detail.group"
      stoppedAt     = "$.detail.stoppedAt"
      stoppedReason = "$.detail.stoppedReason"
      taskArn       = "$.detail.taskArn"
    }
    # Unquoted: EventBridge puts the value in as JSON.
    input_template = <<-TEMPLATE
      {"what": "task killed", "runbook": "docs/runbook.md", "cluster": <cluster>, "task": <taskArn>, "group": <group>, "stoppedAt": <stoppedAt>, "stoppedReason": <stoppedReason>, "containers": <containers>}
    TEMPLATE
  }
}
