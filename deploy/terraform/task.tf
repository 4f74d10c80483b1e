locals {
  options = merge(
    { for option, value in var.leaksim : "LEAKSIM_${upper(replace(option, "-", "_"))}" => value },
    local.is_sidecar ? {} : local.probe_options,
    var.environment,
  )
  probe_options = merge(
    { OOMPROBE_METRIC_NAMESPACE = var.metric_namespace },
    { for option, value in var.oomprobe : "OOMPROBE_${upper(replace(option, "-", "_"))}" => value },
  )

  # The health check runs in the container: its image must have the probe.
  has_health_check = var.health_check != null && (!local.is_sidecar || var.probe_image == null)

  log_configuration = {
    logDriver = "awslogs"
    options = merge(
      {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = var.name
        mode                  = var.log_mode
      },
      var.log_mode == "non-blocking" ? { max-buffer-size = var.log_buffer_size } : {},
    )
  }

  confined = {
    user                   = var.user
    readonlyRootFilesystem = true
    stopTimeout            = var.stop_timeout
    logConfiguration       = local.log_configuration
    linuxParameters = {
      capabilities = { drop = ["ALL"] }
      # The probe is PID 1 and does what an init does.
      initProcessEnabled = false
    }
    # The probe locks its few pages. Fargate takes no limit but nofile.
    ulimits = local.is_fargate ? null : [{ name = "memlock", softLimit = 16777216, hardLimit = 16777216 }]
  }

  app = merge(local.confined, {
    name              = var.container_name
    image             = var.image
    essential         = true
    entryPoint        = local.is_sidecar ? null : ["oomprobe", "run", "--"]
    command           = var.command
    environment       = [for name, value in local.options : { name = name, value = value }]
    memory            = local.container_memory
    memoryReservation = var.container_memory_reservation
    dependsOn         = local.is_sidecar ? [{ containerName = "oomprobe", condition = "START" }] : null
    restartPolicy = var.restart_policy == null ? null : {
      enabled              = true
      ignoredExitCodes     = var.restart_policy.ignored_exit_codes
      restartAttemptPeriod = var.restart_policy.attempt_period
    }
    healthCheck = local.has_health_check ? {
      command     = ["CMD", "oomprobe", "snapshot", "--fail-above", var.health_check.fail_above]
      interval    = var.health_check.interval
      timeout     = var.health_check.timeout
      retries     = var.health_check.retries
      startPeriod = var.health_check.start_period
    } : null
  })

  sidecar = merge(local.confined, {
    name        = "oomprobe"
    image       = coalesce(var.probe_image, var.image)
    essential   = false # a probe that fails must not take the service with it
    command     = ["oomprobe", "watch", "--all-siblings"]
    environment = [for name, value in local.probe_options : { name = name, value = value }]
    memory      = var.probe_memory
  })

  containers = [
    for container in [local.app, local.sidecar] :
    { for key, value in container : key => value if value != null }
    if local.is_sidecar || container.essential
  ]
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = [var.launch_type]
  network_mode             = var.network_mode
  cpu                      = var.cpu
  memory                   = var.memory
  pid_mode                 = local.is_sidecar ? "task" : null
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(local.containers)
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}
