locals {
  # Only this account's resources may make the services act for us.
  trust = {
    for service in ["ecs-tasks", "ssm", "fis"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      }]
    })
  }

  ecr_images = [
    for image in compact([var.image, local.is_sidecar ? var.probe_image : null]) :
    regex("^([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/([^:@]+)", image)
    if can(regex("^[0-9]{12}\\.dkr\\.ecr\\.", image))
  ]
  ecr_repositories = distinct([
    for image in local.ecr_images : "arn:${local.partition}:ecr:${image[1]}:${image[0]}:repository/${image[2]}"
  ])
}

# --- pulls the image and writes the log ---

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "ECS agent for ${var.name}: pull the image, write the log"
  assume_role_policy = local.trust["ecs-tasks"]
  tags               = local.tags
}

resource "aws_iam_role_policy" "execution" {
  name = "pull-and-log"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:log-stream:${var.name}/*"]
      }],
      [
        for statement in [
          {
            Sid      = "RegistryToken" # has no resource to name
            Effect   = "Allow"
            Action   = ["ecr:GetAuthorizationToken"]
            Resource = ["*"]
          },
          {
            Sid      = "Pull"
            Effect   = "Allow"
            Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
            Resource = local.ecr_repositories
          },
        ] : statement if length(local.ecr_repositories) > 0
      ],
    )
  })
}

# --- what the container itself may do: nothing, for its metrics go through the log ---

resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  description        = "Containers of ${var.name}: no permission at all"
  assume_role_policy = local.trust["ecs-tasks"]
  tags               = local.tags
}
