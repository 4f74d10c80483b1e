# The guide's incident on Fargate: 512 MiB, 1 MB/s, in the account's default VPC unless told otherwise.

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
}

data "aws_vpc" "default" {
  count = length(var.subnet_ids) == 0 ? 1 : 0

  default = true
}

data "aws_subnets" "default" {
  count = length(var.subnet_ids) == 0 ? 1 : 0

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default[0].id]
  }
}

module "oomdrill" {
  source = "../.."

  name  = var.name
  image = var.image

  vpc_id             = length(var.subnet_ids) == 0 ? data.aws_vpc.default[0].id : var.vpc_id
  subnet_ids         = length(var.subnet_ids) == 0 ? data.aws_subnets.default[0].ids : var.subnet_ids
  security_group_ids = var.security_group_ids
  assign_public_ip   = var.assign_public_ip

  leaksim  = { rate = "1MB/s" }
  oomprobe = { interval = "1s", thresholds = "75%,85%,95%" }
  # The drill shall end in the kill: ECS must not replace the task before.
  health_check = null

  notification_emails = var.notification_emails
  guide_alarms        = var.guide_alarms
  fis                 = var.fis
}
