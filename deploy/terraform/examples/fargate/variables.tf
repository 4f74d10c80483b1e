variable "image" {
  description = "The oomdrill image, such as the one that scripts/aws/deploy pushes to ECR."
  type        = string
}

variable "region" {
  description = "Region. `null`: as the environment or the profile says."
  type        = string
  default     = null
}

variable "name" {
  description = "Prefix of every name."
  type        = string
  default     = "oomdrill"
}

variable "vpc_id" {
  description = "VPC of `subnet_ids`, for the security group that is made."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Subnets of the tasks. Empty: those of the default VPC."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups. Empty: one is made."
  type        = list(string)
  default     = []
}

variable "assign_public_ip" {
  description = "The default VPC has no NAT: tasks need an address of their own there."
  type        = bool
  default     = true
}

variable "notification_emails" {
  description = "Who hears of alarms and stopped tasks."
  type        = set(string)
  default     = []
}

variable "guide_alarms" {
  description = "The guide's alarms beside ours, to see both during a drill."
  type        = bool
  default     = true
}

variable "fis" {
  description = "An FIS experiment template for the drill."
  type        = bool
  default     = false
}
