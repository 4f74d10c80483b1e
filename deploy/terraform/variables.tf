# What runs

variable "name" {
  description = "Prefix of every name; also the family, the service and, unless `cluster_name` is given, the cluster."
  type        = string
  default     = "oomdrill"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.name))
    error_message = "name: 2 to 32 of a-z, 0-9 and -, first a letter, last not a -."
  }
}

variable "tags" {
  description = "Tags of every resource that takes tags, beside `Name` and `ManagedBy`."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "Image of the container: oomdrill's own for a drill, yours (with `oomprobe` copied in, or with a sidecar) for a service. In ECR, the execution role may pull this repository only."
  type        = string

  validation {
    condition     = length(var.image) > 0 && !can(regex("\\s", var.image))
    error_message = "image: one image reference, without blanks."
  }
}

variable "command" {
  description = "Command of the container; the probe runs it (`entry_point`) or watches it (`sidecar`)."
  type        = list(string)
  default     = ["leaksim"]

  validation {
    condition     = length(var.command) > 0
    error_message = "command: at least one word; the probe has nothing to run otherwise."
  }
}

variable "container_name" {
  description = "Name of the container; a dimension of its metrics."
  type        = string
  default     = "app"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,255}$", var.container_name)) && var.container_name != "oomprobe"
    error_message = "container_name: letters, digits, - and _; `oomprobe` is the sidecar's."
  }
}

variable "probe_mode" {
  description = "`entry_point`: `oomprobe run -- command`, the probe is PID 1. `sidecar`: a second container in a shared pid namespace watches it, and `command` starts as its image says."
  type        = string
  default     = "entry_point"

  validation {
    condition     = contains(["entry_point", "sidecar"], var.probe_mode)
    error_message = "probe_mode: entry_point or sidecar."
  }
}

variable "probe_image" {
  description = "Image of the sidecar. `null`: `image`, which then also has the probe for the health check."
  type        = string
  default     = null
}

variable "leaksim" {
  description = "Options of leaksim by their long names: `{ rate = \"1MB/s\", until = \"90%\" }` becomes LEAKSIM_RATE and LEAKSIM_UNTIL. `leaksim --help` lists them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for option in keys(var.leaksim) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", option))])
    error_message = "leaksim: keys are long options without dashes in front, such as max-bytes."
  }
}

variable "oomprobe" {
  description = "Options of oomprobe by their long names: `{ interval = \"1s\", thresholds = \"75%,85%,95%\" }` becomes OOMPROBE_INTERVAL and OOMPROBE_THRESHOLDS. `oomprobe run --help` lists them."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for option in keys(var.oomprobe) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", option))])
    error_message = "oomprobe: keys are long options without dashes in front, such as metric-namespace."
  }

  validation {
    condition     = !contains(keys(var.oomprobe), "metric-namespace")
    error_message = "oomprobe: the namespace is metric_namespace, because the alarms need it too."
  }
}

variable "environment" {
  description = "Further environment variables of the container."
  type        = map(string)
  default     = {}
}

# Where it runs, and how large

variable "launch_type" {
  description = "`FARGATE` or `EC2`; what the task definition requires."
  type        = string
  default     = "FARGATE"

  validation {
    condition     = contains(["FARGATE", "EC2"], var.launch_type)
    error_message = "launch_type: FARGATE or EC2."
  }
}

variable "capacity_provider" {
  description = "Capacity provider in place of the launch type: of an EC2 cluster, or `FARGATE_SPOT`. It must be associated with the cluster."
  type        = string
  default     = null
}

variable "cluster_name" {
  description = "An existing cluster. `null`: one of its own is made."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Container Insights of the cluster that is made: `enhanced` (per task and container), `enabled` or `disabled`."
  type        = string
  default     = "enhanced"

  validation {
    condition     = contains(["enhanced", "enabled", "disabled"], var.container_insights)
    error_message = "container_insights: enhanced, enabled or disabled."
  }
}

variable "cpu" {
  description = "CPU units of the task (1024 are one vCPU)."
  type        = number
  default     = 256

  validation {
    condition     = var.launch_type != "FARGATE" || contains(keys(local.fargate_memory), tostring(var.cpu))
    error_message = "cpu: Fargate sells 256, 512, 1024, 2048, 4096, 8192 and 16384 units."
  }

  validation {
    condition     = var.cpu >= 128 && var.cpu <= 196608 && floor(var.cpu) == var.cpu
    error_message = "cpu: 128 to 196608 units, a whole number."
  }
}

variable "memory" {
  description = "Memory of the task in MiB. On Fargate only certain sizes go with each `cpu`."
  type        = number
  default     = 512

  validation {
    condition     = var.launch_type != "FARGATE" || contains(lookup(local.fargate_memory, tostring(var.cpu), [var.memory]), var.memory)
    error_message = "memory: with ${var.cpu} CPU units Fargate sells ${join(", ", lookup(local.fargate_memory, tostring(var.cpu), []))} MiB."
  }

  validation {
    condition     = var.memory >= 64 && floor(var.memory) == var.memory
    error_message = "memory: at least 64 MiB, a whole number."
  }
}

variable "container_memory" {
  description = "Hard limit of the container in MiB: here it is killed. `null`: the task's less `memory_margin` and, with a sidecar, less `probe_memory`, so that the container's own limit binds first and the sidecar outlives it."
  type        = number
  default     = null

  validation {
    condition     = var.container_memory == null ? true : var.container_memory >= 6
    error_message = "container_memory: ECS takes 6 MiB or more."
  }

  validation {
    condition     = var.container_memory == null ? true : var.container_memory + (var.probe_mode == "sidecar" ? var.probe_memory : 0) <= var.memory
    error_message = "container_memory: all containers together must fit into the task's ${var.memory} MiB."
  }
}

variable "container_memory_reservation" {
  description = "Soft limit of the container in MiB. Mind that ECS divides by it instead of by the hard limit, so that its MemoryUtilization may exceed 100 %."
  type        = number
  default     = null

  validation {
    condition     = var.container_memory_reservation == null ? true : var.container_memory_reservation < local.container_memory
    error_message = "container_memory_reservation: less than the hard limit, which is ${local.container_memory} MiB."
  }
}

variable "memory_margin" {
  description = "MiB of the task that no container may use."
  type        = number
  default     = 32

  validation {
    condition     = var.memory_margin >= 0 && var.memory_margin + (var.probe_mode == "sidecar" ? var.probe_memory : 0) + 6 <= var.memory
    error_message = "memory_margin: at least 0, and it must leave 6 MiB of the task to the container."
  }
}

variable "probe_memory" {
  description = "Hard limit of the sidecar in MiB."
  type        = number
  default     = 64

  validation {
    condition     = var.probe_memory >= 6
    error_message = "probe_memory: ECS takes 6 MiB or more."
  }
}

variable "cpu_architecture" {
  description = "`X86_64` or `ARM64`."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture: X86_64 or ARM64."
  }
}

variable "network_mode" {
  description = "Network mode; Fargate has `awsvpc` only."
  type        = string
  default     = "awsvpc"

  validation {
    condition     = contains(["awsvpc", "bridge", "host", "none"], var.network_mode)
    error_message = "network_mode: awsvpc, bridge, host or none."
  }

  validation {
    condition     = var.launch_type != "FARGATE" || var.network_mode == "awsvpc"
    error_message = "network_mode: Fargate has awsvpc only."
  }
}

variable "subnet_ids" {
  description = "Subnets of the tasks; required with `awsvpc`."
  type        = list(string)
  default     = []

  validation {
    condition     = var.network_mode != "awsvpc" || length(var.subnet_ids) > 0
    error_message = "subnet_ids: with network_mode awsvpc at least one subnet."
  }
}

variable "security_group_ids" {
  description = "Security groups of the tasks. Empty: one is made in `vpc_id` that lets HTTPS out and nothing in."
  type        = list(string)
  default     = []

  validation {
    condition     = var.network_mode != "awsvpc" || length(var.security_group_ids) > 0 || var.vpc_id != null
    error_message = "security_group_ids: give some, or vpc_id so that one can be made."
  }
}

variable "vpc_id" {
  description = "VPC of the security group that is made."
  type        = string
  default     = null
}

variable "assign_public_ip" {
  description = "Public address for each task: needed in a subnet without NAT or endpoints, to pull the image and to write logs."
  type        = bool
  default     = false
}

# How the container runs

variable "user" {
  description = "User and group of the containers; with a sidecar the same for both, because that is what lets it read the other's cgroup."
  type        = string
  default     = "65532:65532"

  validation {
    condition     = can(regex("^[1-9][0-9]*(:[1-9][0-9]*)?$", var.user))
    error_message = "user: a numeric uid or uid:gid, not root."
  }
}

variable "stop_timeout" {
  description = "Seconds from SIGTERM to SIGKILL."
  type        = number
  default     = 30

  validation {
    condition     = var.stop_timeout >= 0 && (var.launch_type != "FARGATE" || var.stop_timeout <= 120)
    error_message = "stop_timeout: at least 0; Fargate allows 120 s at most."
  }
}

variable "restart_policy" {
  description = "Restart in place: `{ ignored_exit_codes = [0], attempt_period = 60 }`. A container that dies sooner than `attempt_period` seconds after its start is not restarted. `null`: the task ends and the service starts another. A restart in place makes no stopped task, so only the probe and RestartCount tell of it."
  type = object({
    ignored_exit_codes = optional(list(number), [0])
    attempt_period     = optional(number, 60)
  })
  default = null

  validation {
    condition     = var.restart_policy == null ? true : var.restart_policy.attempt_period >= 60 && var.restart_policy.attempt_period <= 1800
    error_message = "restart_policy: attempt_period is 60 to 1800 seconds."
  }
}

variable "health_check" {
  description = "Health check by `oomprobe snapshot --fail-above`: ECS replaces a task whose working set stays above it, before the kernel kills it. `null`: none. Without effect where the container's image lacks the probe (a sidecar with its own `probe_image`)."
  type = object({
    fail_above   = optional(string, "95%")
    interval     = optional(number, 30)
    timeout      = optional(number, 5)
    retries      = optional(number, 3)
    start_period = optional(number, 10)
  })
  default = {}

  validation {
    condition = var.health_check == null ? true : (
      var.health_check.interval >= 5 && var.health_check.interval <= 300 &&
      var.health_check.timeout >= 2 && var.health_check.timeout <= 60 &&
      var.health_check.retries >= 1 && var.health_check.retries <= 10 &&
      var.health_check.start_period >= 0 && var.health_check.start_period <= 300
    )
    error_message = "health_check: interval 5-300 s, timeout 2-60 s, retries 1-10, start_period 0-300 s."
  }

  validation {
    condition     = var.health_check == null ? true : can(regex("^[0-9]+(\\.[0-9]+)?%$", var.health_check.fail_above))
    error_message = "health_check: fail_above is a percentage, such as 95%."
  }
}

# The service

variable "desired_count" {
  description = "Tasks at the start. Afterwards auto scaling and the runbook's scripts own the number: Terraform ignores it."
  type        = number
  default     = 1

  validation {
    condition     = var.desired_count >= 0 && floor(var.desired_count) == var.desired_count
    error_message = "desired_count: a whole number, at least 0."
  }
}

variable "autoscaling" {
  description = "Target tracking on the service's average memory, with the guide's values. It answers load, not a leak: new tasks lower the average and hide the leaking one. `null`: none."
  type = object({
    min                = optional(number, 1)
    max                = optional(number, 4)
    target             = optional(number, 75)
    scale_in_cooldown  = optional(number, 300)
    scale_out_cooldown = optional(number, 300)
  })
  default = {}

  validation {
    condition     = var.autoscaling == null ? true : var.autoscaling.min >= 0 && var.autoscaling.min <= var.autoscaling.max
    error_message = "autoscaling: 0 <= min <= max."
  }

  validation {
    condition     = var.autoscaling == null ? true : var.autoscaling.target > 0 && var.autoscaling.target <= 100
    error_message = "autoscaling: target is a percentage."
  }
}

# Logs and metrics

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: CloudWatch takes 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "log_kms_key_arn" {
  description = "KMS key of the log group; its policy must let the region's logs service use it. `null`: AWS's own encryption."
  type        = string
  default     = null
}

variable "log_mode" {
  description = "Mode of the awslogs driver: `non-blocking` drops lines when the buffer is full, `blocking` stalls the writer. Stated, because ECS has changed its default."
  type        = string
  default     = "non-blocking"

  validation {
    condition     = contains(["non-blocking", "blocking"], var.log_mode)
    error_message = "log_mode: non-blocking or blocking."
  }
}

variable "log_buffer_size" {
  description = "Buffer of the non-blocking mode."
  type        = string
  default     = "4m"

  validation {
    condition     = can(regex("^[1-9][0-9]*[kmg]$", var.log_buffer_size))
    error_message = "log_buffer_size: a size such as 512k or 4m."
  }
}

variable "metric_namespace" {
  description = "CloudWatch namespace of the probe's metrics."
  type        = string
  default     = "oomdrill"

  validation {
    condition     = can(regex("^[a-zA-Z0-9 ._#:/-]{1,256}$", var.metric_namespace)) && !startswith(var.metric_namespace, "AWS/")
    error_message = "metric_namespace: 1 to 256 of letters, digits, blank and ._#:/-, not beginning with AWS/."
  }
}

# Alarms and who hears of them

variable "sns_topic_arn" {
  description = "An existing topic, which must let CloudWatch and EventBridge publish. `null`: one is made, with that policy."
  type        = string
  default     = null
}

variable "sns_kms_key_id" {
  description = "KMS key of the topic that is made; its policy must let CloudWatch and EventBridge use it (the AWS managed key does not)."
  type        = string
  default     = null
}

variable "notification_emails" {
  description = "Addresses that are subscribed to the topic; each must be confirmed by its owner."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.notification_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "notification_emails: one of them is no e-mail address."
  }
}

variable "alarms" {
  description = "The alarms that oomdrill proves. `false`: none."
  type        = bool
  default     = true
}

variable "guide_alarms" {
  description = "The guide's three alarms as it wrote them, for comparison: at 1 MB/s the first fires after the kill, the third watches a metric that nobody publishes. Their names are the guide's, so one module instance a region."
  type        = bool
  default     = false
}

variable "lead" {
  description = "What the early alarms must achieve: `seconds` before the kill for a leak of `bytes_per_second`. `delivery_seconds` is the time from a line on stdout to a data point that is assumed. The thresholds follow from these and the container's memory, between 50 % and 90 %."
  type = object({
    seconds          = optional(number, 60)
    bytes_per_second = optional(number, 1000000)
    delivery_seconds = optional(number, 30)
  })
  default = {}

  validation {
    condition     = var.lead.seconds > 0 && var.lead.bytes_per_second > 0 && var.lead.delivery_seconds >= 0
    error_message = "lead: seconds and bytes_per_second are more than 0, delivery_seconds at least 0."
  }
}

variable "memory_threshold_percent" {
  description = "Threshold of the early alarms in place of the one that `lead` gives."
  type        = number
  default     = null

  validation {
    condition     = var.memory_threshold_percent == null ? true : var.memory_threshold_percent > 0 && var.memory_threshold_percent < 100
    error_message = "memory_threshold_percent: more than 0 and less than 100."
  }
}

variable "high_resolution" {
  description = "Periods of 10 s for `memory-lead`, on the probe's high-resolution metric: found after 60 s at most, with periods of 60 s (`false`) after 150 s."
  type        = bool
  default     = true
}

variable "forecast_seconds" {
  description = "The growth alarm fires when the probe forecasts a kill in less than this. Its lead is a quarter of it, less 150 s of detection."
  type        = number
  default     = 900

  validation {
    condition     = var.forecast_seconds > 0
    error_message = "forecast_seconds: more than 0."
  }
}

variable "restart_alarm" {
  description = "Restarts in place, by Container Insights, that are too many within `period` seconds. Without effect without `restart_policy`, which RestartCount needs."
  type = object({
    count  = optional(number, 3)
    period = optional(number, 900)
  })
  default = {}

  validation {
    condition     = var.restart_alarm.count >= 1 && var.restart_alarm.period >= 60 && var.restart_alarm.period <= 86400 && var.restart_alarm.period % 60 == 0
    error_message = "restart_alarm: count at least 1; period a multiple of 60, at most a day."
  }
}

variable "notify_each" {
  description = "Notify of each memory alarm, not only of the two composite ones that sum them up."
  type        = bool
  default     = false
}

variable "hold_seconds" {
  description = "After a kill, early warnings are held back for this long: a task that leaks, dies and leaks again is one incident."
  type        = number
  default     = 600

  validation {
    condition     = var.hold_seconds >= 0
    error_message = "hold_seconds: at least 0."
  }
}

variable "dashboard" {
  description = "Dashboard and saved Logs Insights queries."
  type        = bool
  default     = true
}

# Drills

variable "drill" {
  description = "An SSM Automation runbook that starts a drill by run-task, and its role. The drill runs `leaksim` in the task definition's image."
  type        = bool
  default     = true
}

variable "fis" {
  description = "An AWS FIS experiment template that starts the drill: FIS has no memory action for ECS tasks."
  type        = bool
  default     = false

  validation {
    condition     = !var.fis || var.drill
    error_message = "fis: needs drill = true, whose runbook it starts."
  }
}

variable "fis_stop_alarm_arn" {
  description = "Alarm that stops the experiment. `null`: none; it ends with the drill's task or after an hour."
  type        = string
  default     = null
}
