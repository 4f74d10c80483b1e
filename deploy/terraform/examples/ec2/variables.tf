variable "image" {
  description = "The oomdrill image."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the instances, with a way out: to the registry, to ECS and to the logs."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the instances; they must let HTTPS out."
  type        = list(string)
}

variable "region" {
  description = "Region. `null`: as the environment or the profile says."
  type        = string
  default     = null
}

variable "name" {
  description = "Prefix of every name."
  type        = string
  default     = "oomdrill-ec2"
}

variable "instance_type" {
  description = "Type of the instances; t3.small takes three tasks of 512 MiB."
  type        = string
  default     = "t3.small"
}

variable "max_instances" {
  description = "Instances at most."
  type        = number
  default     = 2
}

variable "notification_emails" {
  description = "Who hears of alarms and stopped tasks."
  type        = set(string)
  default     = []
}
