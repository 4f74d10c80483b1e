# A service on EC2 instances (Amazon Linux 2023: cgroup v2), watched by a sidecar, restarted in place.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { Name = var.name, ManagedBy = "terraform" }
  }
}

data "aws_partition" "current" {}

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
}

# --- instances ---

resource "aws_iam_role" "instance" {
  name = "${var.name}-instance"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
}

resource "aws_iam_instance_profile" "instance" {
  name = "${var.name}-instance"
  role = aws_iam_role.instance.name
}

resource "aws_launch_template" "instance" {
  name                   = "${var.name}-instance"
  image_id               = data.aws_ssm_parameter.image.value
  instance_type          = var.instance_type
  vpc_security_group_ids = var.security_group_ids
  user_data              = base64encode("#!/bin/sh\necho ECS_CLUSTER=${module.oomdrill.cluster_name} >> /etc/ecs/ecs.config\n")

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance.arn
  }

  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_autoscaling_group" "instances" {
  name                  = "${var.name}-instances"
  min_size              = 0
  max_size              = var.max_instances
  vpc_zone_identifier   = var.subnet_ids
  protect_from_scale_in = true

  launch_template {
    id      = aws_launch_template.instance.id
    version = aws_launch_template.instance.latest_version
  }

  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity] # the capacity provider's
  }
}

resource "aws_ecs_capacity_provider" "instances" {
  name = "${var.name}-instances"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.instances.arn
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status          = "ENABLED"
      target_capacity = 100
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = module.oomdrill.cluster_name
  capacity_providers = [aws_ecs_capacity_provider.instances.name]
}

# --- the service ---

module "oomdrill" {
  source = "../.."

  name  = var.name
  image = var.image

  launch_type       = "EC2"
  capacity_provider = one(aws_ecs_cluster_capacity_providers.this.capacity_providers)
  network_mode      = "bridge" # no network interface a task, of which small instances have few

  memory           = 512
  container_memory = 384
  probe_mode       = "sidecar"
  command          = ["leaksim"]
  leaksim          = { rate = "1MB/s" }
  # A container that lives for less than attempt_period is not restarted: 384 MiB at 1 MB/s last longer.
  restart_policy = { attempt_period = 120 }
  health_check   = null

  notification_emails = var.notification_emails
}
