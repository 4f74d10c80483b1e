data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  tags = merge({ Name = var.name, ManagedBy = "terraform" }, var.tags)

  # What Fargate sells: CPU units to MiB.
  fargate_memory = {
    256   = [512, 1024, 2048]
    512   = range(1024, 4097, 1024)
    1024  = range(2048, 8193, 1024)
    2048  = range(4096, 16385, 1024)
    4096  = range(8192, 30721, 1024)
    8192  = range(16384, 61441, 4096)
    16384 = range(32768, 122881, 8192)
  }

  is_fargate       = var.launch_type == "FARGATE"
  is_sidecar       = var.probe_mode == "sidecar"
  has_network      = var.network_mode == "awsvpc"
  container_memory = coalesce(var.container_memory, var.memory - var.memory_margin - (local.is_sidecar ? var.probe_memory : 0))
}

# --- cluster ---

resource "aws_ecs_cluster" "this" {
  count = var.cluster_name == null ? 1 : 0

  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

data "aws_ecs_cluster" "existing" {
  count = var.cluster_name == null ? 0 : 1

  cluster_name = var.cluster_name
}

locals {
  cluster_name = var.cluster_name == null ? aws_ecs_cluster.this[0].name : var.cluster_name
  cluster_arn  = var.cluster_name == null ? aws_ecs_cluster.this[0].arn : data.aws_ecs_cluster.existing[0].arn
}

# --- logs ---

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = local.tags
}

# --- network ---

resource "aws_security_group" "this" {
  count = local.has_network && length(var.security_group_ids) == 0 ? 1 : 0

  name        = var.name
  description = "Tasks of ${var.name}: HTTPS out, nothing in"
  vpc_id      = var.vpc_id
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "https" {
  count = length(aws_security_group.this)

  security_group_id = aws_security_group.this[0].id
  description       = "Registry, logs"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
  tags              = local.tags
}

locals {
  security_group_ids = length(var.security_group_ids) > 0 ? var.security_group_ids : aws_security_group.this[*].id
}

# --- service ---

resource "aws_ecs_service" "this" {
  name                               = var.name
  cluster                            = local.cluster_arn
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.desired_count
  launch_type                        = var.capacity_provider == null ? var.launch_type : null
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  tags                               = local.tags

  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider == null ? [] : [var.capacity_provider]

    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  dynamic "network_configuration" {
    for_each = local.has_network ? [1] : []

    content {
      subnets          = var.subnet_ids
      security_groups  = local.security_group_ids
      assign_public_ip = var.assign_public_ip
    }
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    # Auto scaling and scripts/aws/resolve change it.
    ignore_changes = [desired_count]
  }

  # Without the policies the first tasks could neither pull nor log.
  depends_on = [aws_iam_role_policy.execution]
}

resource "aws_appautoscaling_target" "this" {
  count = var.autoscaling == null ? 0 : 1

  min_capacity       = var.autoscaling.min
  max_capacity       = var.autoscaling.max
  resource_id        = "service/${local.cluster_name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  service_namespace  = "ecs"
  tags               = local.tags
}

resource "aws_appautoscaling_policy" "memory" {
  count = var.autoscaling == null ? 0 : 1

  name               = "${var.name}-memory"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace

  target_tracking_scaling_policy_configuration {
    target_value       = var.autoscaling.target
    scale_in_cooldown  = var.autoscaling.scale_in_cooldown
    scale_out_cooldown = var.autoscaling.scale_out_cooldown

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageMemoryUtilization"
    }
  }
}
