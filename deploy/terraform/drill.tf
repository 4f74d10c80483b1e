# Starts a drill: one task of the service's own task definition with leaksim as its command, so that
# the very alarms of the service are what is tried.

locals {
  network = local.has_network ? {
    awsvpcConfiguration = {
      subnets        = var.subnet_ids
      securityGroups = local.security_group_ids
      assignPublicIp = var.assign_public_ip ? "ENABLED" : "DISABLED"
    }
  } : null

  # RunTask takes a launch type or a strategy, and no empty ones.
  drill_placement = {
    for key, value in {
      networkConfiguration     = local.network
      launchType               = var.capacity_provider == null ? var.launch_type : null
      capacityProviderStrategy = var.capacity_provider == null ? null : [{ capacityProvider = var.capacity_provider, weight = 1 }]
    } : key => value if value != null
  }

  drill_document = {
    schemaVersion = "0.3"
    description   = "Leaks memory in a task of ${var.name} until the kernel kills it, or until the target is reached."
    assumeRole    = one(aws_iam_role.drill[*].arn)
    parameters = {
      Pattern = {
        type           = "String"
        description    = "Growth pattern with its parameters: leaksim --list-patterns"
        default        = "linear"
        allowedPattern = "^[a-z][a-z-]*(:[a-z-]+=[A-Za-z0-9.%/]+(,[a-z-]+=[A-Za-z0-9.%/]+)*)?$"
      }
      Rate = {
        type           = "String"
        description    = "Growth, such as 1MB/s, or max"
        default        = "1MB/s"
        allowedPattern = "^(max|[0-9]+(\\.[0-9]+)?[kKMG]?i?B/s)$"
      }
      Until = {
        type           = "String"
        description    = "oom, or where to stop, such as 90%"
        default        = "oom"
        allowedPattern = "^(oom|[0-9]+(\\.[0-9]+)?(%|[kKMG]?i?B)(-headroom)?)$"
      }
    }
    mainSteps = [
      {
        name   = "start"
        action = "aws:executeAwsApi"
        inputs = merge(local.drill_placement, {
          Service        = "ecs"
          Api            = "RunTask"
          cluster        = local.cluster_arn
          taskDefinition = aws_ecs_task_definition.this.family
          count          = 1
          startedBy      = "oomdrill"
          overrides = {
            containerOverrides = [{
              name    = var.container_name
              command = ["leaksim"]
              environment = [
                { name = "LEAKSIM_PATTERN", value = "{{ Pattern }}" },
                { name = "LEAKSIM_RATE", value = "{{ Rate }}" },
                { name = "LEAKSIM_UNTIL", value = "{{ Until }}" },
              ]
            }]
          }
        })
        outputs = [{ Name = "TaskArn", Selector = "$.tasks[0].taskArn", Type = "String" }]
      },
      {
        name           = "wait"
        action         = "aws:waitForAwsResourceProperty"
        timeoutSeconds = 3600
        onFailure      = "step:stop"
        onCancel       = "step:stop"
        inputs = {
          Service          = "ecs"
          Api              = "DescribeTasks"
          cluster          = local.cluster_arn
          tasks            = ["{{ start.TaskArn }}"]
          PropertySelector = "$.tasks[0].lastStatus"
          DesiredValues    = ["STOPPED"]
        }
      },
      {
        name   = "verdict"
        action = "aws:executeAwsApi"
        isEnd  = true
        inputs = {
          Service = "ecs"
          Api     = "DescribeTasks"
          cluster = local.cluster_arn
          tasks   = ["{{ start.TaskArn }}"]
        }
        outputs = [
          { Name = "StoppedReason", Selector = "$.tasks[0].stoppedReason", Type = "String" },
          { Name = "Containers", Selector = "$.tasks[0].containers", Type = "MapList" },
        ]
      },
      {
        name   = "stop"
        action = "aws:executeAwsApi"
        isEnd  = true
        inputs = {
          Service = "ecs"
          Api     = "StopTask"
          cluster = local.cluster_arn
          task    = "{{ start.TaskArn }}"
          reason  = "drill cancelled or out of time"
        }
      },
    ]
    outputs = ["start.TaskArn", "verdict.StoppedReason", "verdict.Containers"]
  }
}

resource "aws_ssm_document" "drill" {
  count = var.drill ? 1 : 0

  name            = "${var.name}-drill"
  document_type   = "Automation"
  document_format = "JSON"
  content         = jsonencode(local.drill_document)
  tags            = local.tags
}

resource "aws_iam_role" "drill" {
  count = var.drill ? 1 : 0

  name               = "${var.name}-drill"
  description        = "Starts, watches and stops drills of ${var.name}"
  assume_role_policy = local.trust["ssm"]
  tags               = local.tags
}

resource "aws_iam_role_policy" "drill" {
  count = var.drill ? 1 : 0

  name = "run-and-stop"
  role = aws_iam_role.drill[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Start"
        Effect    = "Allow"
        Action    = "ecs:RunTask"
        Resource  = "${aws_ecs_task_definition.this.arn_without_revision}:*"
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster_arn } }
      },
      {
        Sid      = "WatchAndStop"
        Effect   = "Allow"
        Action   = ["ecs:DescribeTasks", "ecs:StopTask"]
        Resource = "arn:${local.partition}:ecs:${local.region}:${local.account}:task/${local.cluster_name}/*"
      },
      {
        Sid       = "TaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

# --- the same from AWS FIS, which has no memory action for ECS tasks ---

resource "aws_iam_role" "fis" {
  count = var.fis ? 1 : 0

  name               = "${var.name}-fis"
  description        = "Lets FIS start the drill of ${var.name}"
  assume_role_policy = local.trust["fis"]
  tags               = local.tags
}

resource "aws_iam_role_policy" "fis" {
  count = var.fis ? 1 : 0

  name = "start-drill"
  role = aws_iam_role.fis[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = "ssm:StartAutomationExecution"
        Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:automation-definition/${aws_ssm_document.drill[0].name}:*"
      },
      {
        Sid      = "WatchAndStop"
        Effect   = "Allow"
        Action   = ["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"]
        Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:automation-execution/*"
      },
      {
        Sid       = "DrillRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.drill[0].arn
        Condition = { StringEquals = { "iam:PassedToService" = "ssm.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_fis_experiment_template" "drill" {
  count = var.fis ? 1 : 0

  description = "Memory exhaustion in a task of ${var.name}"
  role_arn    = aws_iam_role.fis[0].arn
  tags        = local.tags

  action {
    name        = "leak"
    action_id   = "aws:ssm:start-automation-execution"
    description = "One task whose memory grows until it is killed"

    parameter {
      key   = "documentArn"
      value = aws_ssm_document.drill[0].arn
    }
    parameter {
      key   = "documentParameters"
      value = jsonencode({ Pattern = "linear", Rate = "1MB/s", Until = "oom" })
    }
    parameter {
      key   = "maxDuration"
      value = "PT1H"
    }
  }

  stop_condition {
    source = var.fis_stop_alarm_arn == null ? "none" : "aws:cloudwatch:alarm"
    value  = var.fis_stop_alarm_arn
  }
}
