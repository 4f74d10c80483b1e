output "cluster_name" {
  description = "Cluster of the service."
  value       = local.cluster_name
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = local.cluster_arn
}

output "service_name" {
  description = "The service."
  value       = aws_ecs_service.this.name
}

output "task_definition_family" {
  description = "Family of the task definition; a dimension of the probe's metrics."
  value       = aws_ecs_task_definition.this.family
}

output "task_definition_arn" {
  description = "The task definition with its revision."
  value       = aws_ecs_task_definition.this.arn
}

output "container_name" {
  description = "The container; the other dimension of the probe's metrics, and what run-task overrides."
  value       = var.container_name
}

output "container_memory" {
  description = "Hard limit of the container in MiB: where it is killed."
  value       = local.container_memory
}

output "network" {
  description = "Network configuration for `aws ecs run-task --network-configuration`; `null` without `awsvpc`."
  value       = local.network == null ? null : jsonencode(local.network)
}

output "log_group_name" {
  description = "Log group with the events."
  value       = aws_cloudwatch_log_group.this.name
}

output "sns_topic_arn" {
  description = "Topic of alarms and stopped tasks."
  value       = local.topic_arn
}

output "alarm_names" {
  description = "Names of all alarms: metric, composite, and the guide's."
  value = sort(concat(
    values(aws_cloudwatch_metric_alarm.this)[*].alarm_name,
    aws_cloudwatch_composite_alarm.exhaustion[*].alarm_name,
    aws_cloudwatch_composite_alarm.killed[*].alarm_name,
    aws_cloudwatch_metric_alarm.guide_memory_high[*].alarm_name,
    aws_cloudwatch_metric_alarm.guide_memory_utilization[*].alarm_name,
    aws_cloudwatch_metric_alarm.guide_oom_kills[*].alarm_name,
  ))
}

output "lead_seconds" {
  description = "For each early alarm: seconds before the kill at which it fires at the latest, at the rate of `lead`."
  value       = local.lead_seconds
}

output "threshold_percent" {
  description = "Thresholds that `lead` gave."
  value       = local.threshold_percent
}

output "dashboard_name" {
  description = "The dashboard."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "query_names" {
  description = "Saved Logs Insights queries."
  value       = sort(values(aws_cloudwatch_query_definition.this)[*].name)
}

output "execution_role_arn" {
  description = "Role that pulls the image and writes the log."
  value       = aws_iam_role.execution.arn
}

output "task_role_arn" {
  description = "Role of the containers; attach what your own service needs."
  value       = aws_iam_role.task.arn
}

output "drill_document_name" {
  description = "SSM runbook: `aws ssm start-automation-execution --document-name …`."
  value       = one(aws_ssm_document.drill[*].name)
}

output "drill_role_arn" {
  description = "Role of the runbook."
  value       = one(aws_iam_role.drill[*].arn)
}

output "fis_experiment_template_id" {
  description = "FIS template: `aws fis start-experiment --experiment-template-id …`."
  value       = one(aws_fis_experiment_template.drill[*].id)
}
