"""A CloudFormation mirror of what stands after an apply, so that cfn-lint can have its say."""

import json

from harness import of_type, resources

KEEPS_ITS_KEYS = {"options", "Options"}  # maps of the user's, not structures


def pascal(value):
    """camelCase keys of the ECS API as CloudFormation spells them."""
    if isinstance(value, list):
        return [pascal(v) for v in value]
    if isinstance(value, dict):
        return {k[0].upper() + k[1:]: v if k in KEEPS_ITS_KEYS else pascal(v) for k, v in value.items()}
    return value


def tags(values):
    return [{"Key": k, "Value": v} for k, v in sorted((values.get("tags") or {}).items())]


def tagged(properties, values):
    return {**properties, "Tags": tags(values)}


def cluster(v, _):
    return "AWS::ECS::Cluster", tagged(
        {"ClusterName": v["name"], "ClusterSettings": [{"Name": s["name"], "Value": s["value"]} for s in v["setting"]]}, v
    )


def task_definition(v, _):
    (platform,) = v["runtime_platform"]
    return "AWS::ECS::TaskDefinition", tagged(
        {
            "Family": v["family"],
            "RequiresCompatibilities": v["requires_compatibilities"],
            "NetworkMode": v["network_mode"],
            "Cpu": v["cpu"],
            "Memory": v["memory"],
            "PidMode": v["pid_mode"],
            "ExecutionRoleArn": v["execution_role_arn"],
            "TaskRoleArn": v["task_role_arn"],
            "ContainerDefinitions": pascal(json.loads(v["container_definitions"])),
            "RuntimePlatform": {
                "CpuArchitecture": platform["cpu_architecture"],
                "OperatingSystemFamily": platform["operating_system_family"],
            },
        },
        v,
    )


def service(v, _):
    network = [
        {
            "AwsvpcConfiguration": {
                "Subnets": n["subnets"],
                "SecurityGroups": n["security_groups"],
                "AssignPublicIp": "ENABLED" if n["assign_public_ip"] else "DISABLED",
            }
        }
        for n in v["network_configuration"]
    ]
    strategy = [
        {"CapacityProvider": s["capacity_provider"], "Weight": s["weight"]} for s in v["capacity_provider_strategy"]
    ]
    (breaker,) = v["deployment_circuit_breaker"]
    return "AWS::ECS::Service", tagged(
        {
            "ServiceName": v["name"],
            "Cluster": v["cluster"],
            "TaskDefinition": v["task_definition"],
            "DesiredCount": v["desired_count"],
            "LaunchType": v["launch_type"],
            "CapacityProviderStrategy": strategy or None,
            "NetworkConfiguration": network[0] if network else None,
            "DeploymentConfiguration": {
                "MinimumHealthyPercent": v["deployment_minimum_healthy_percent"],
                "MaximumPercent": v["deployment_maximum_percent"],
                "DeploymentCircuitBreaker": {"Enable": breaker["enable"], "Rollback": breaker["rollback"]},
            },
            "PropagateTags": v["propagate_tags"],
            "EnableECSManagedTags": v["enable_ecs_managed_tags"],
        },
        v,
    )


def log_group(v, _):
    return "AWS::Logs::LogGroup", tagged(
        {"LogGroupName": v["name"], "RetentionInDays": v["retention_in_days"], "KmsKeyId": v["kms_key_id"]}, v
    )


def metric_filter(v, _):
    (made,) = v["metric_transformation"]
    return "AWS::Logs::MetricFilter", {
        "FilterName": v["name"],
        "LogGroupName": v["log_group_name"],
        "FilterPattern": v["pattern"],
        "MetricTransformations": [
            {
                "MetricName": made["name"],
                "MetricNamespace": made["namespace"],
                "MetricValue": made["value"],
                "Unit": made["unit"],
                "Dimensions": [{"Key": k, "Value": d} for k, d in sorted(made["dimensions"].items())],
            }
        ],
    }


def query_definition(v, _):
    return "AWS::Logs::QueryDefinition", {
        "Name": v["name"],
        "QueryString": v["query_string"],
        "LogGroupNames": v["log_group_names"],
    }


def metric_alarm(v, _):
    return "AWS::CloudWatch::Alarm", tagged(
        {
            "AlarmName": v["alarm_name"],
            "AlarmDescription": v["alarm_description"],
            "Namespace": v["namespace"],
            "MetricName": v["metric_name"],
            "Dimensions": [{"Name": k, "Value": d} for k, d in sorted(v["dimensions"].items())],
            "Statistic": v["statistic"],
            "Period": v["period"],
            "EvaluationPeriods": v["evaluation_periods"],
            "DatapointsToAlarm": v["datapoints_to_alarm"],
            "ComparisonOperator": v["comparison_operator"],
            "Threshold": v["threshold"],
            "TreatMissingData": v["treat_missing_data"],
            "AlarmActions": v["alarm_actions"] or None,
            "OKActions": v["ok_actions"] or None,
        },
        v,
    )


def composite_alarm(v, _):
    suppressor = v["actions_suppressor"][0] if v["actions_suppressor"] else {}
    return "AWS::CloudWatch::CompositeAlarm", tagged(
        {
            "AlarmName": v["alarm_name"],
            "AlarmDescription": v["alarm_description"],
            "AlarmRule": v["alarm_rule"],
            "AlarmActions": v["alarm_actions"],
            "OKActions": v["ok_actions"],
            "ActionsSuppressor": suppressor.get("alarm"),
            "ActionsSuppressorWaitPeriod": suppressor.get("wait_period"),
            "ActionsSuppressorExtensionPeriod": suppressor.get("extension_period"),
        },
        v,
    )


def dashboard(v, _):
    return "AWS::CloudWatch::Dashboard", {"DashboardName": v["dashboard_name"], "DashboardBody": v["dashboard_body"]}


def topic(v, _):
    return "AWS::SNS::Topic", tagged({"TopicName": v["name"], "KmsMasterKeyId": v["kms_master_key_id"]}, v)


def topic_policy(v, _):
    return "AWS::SNS::TopicPolicy", {"Topics": [v["arn"]], "PolicyDocument": json.loads(v["policy"])}


def subscription(v, _):
    return "AWS::SNS::Subscription", {"TopicArn": v["topic_arn"], "Protocol": v["protocol"], "Endpoint": v["endpoint"]}


def event_rule(v, values):
    targets = []
    for index, target in enumerate(of_type(values, "aws_cloudwatch_event_target")):
        if target["rule"] == v["name"]:
            (transformer,) = target["input_transformer"]
            targets.append(
                {
                    "Id": f"target{index}",
                    "Arn": target["arn"],
                    "InputTransformer": {
                        "InputPathsMap": transformer["input_paths"],
                        "InputTemplate": transformer["input_template"],
                    },
                }
            )
    return "AWS::Events::Rule", {
        "Name": v["name"],
        "Description": v["description"],
        "EventPattern": json.loads(v["event_pattern"]),
        "Targets": targets,
    }


def role(v, values):
    policies = [
        {"PolicyName": p["name"], "PolicyDocument": json.loads(p["policy"])}
        for p in of_type(values, "aws_iam_role_policy")
        if p["role"] == v["id"]
    ]
    return "AWS::IAM::Role", tagged(
        {
            "RoleName": v["name"],
            "Description": v["description"] or None,
            "AssumeRolePolicyDocument": json.loads(v["assume_role_policy"]),
            "Policies": policies or None,
        },
        v,
    )


def scaling_target(v, _):
    return "AWS::ApplicationAutoScaling::ScalableTarget", {
        "MinCapacity": v["min_capacity"],
        "MaxCapacity": v["max_capacity"],
        "ResourceId": v["resource_id"],
        "ScalableDimension": v["scalable_dimension"],
        "ServiceNamespace": v["service_namespace"],
    }


def scaling_policy(v, _):
    (tracking,) = v["target_tracking_scaling_policy_configuration"]
    return "AWS::ApplicationAutoScaling::ScalingPolicy", {
        "PolicyName": v["name"],
        "PolicyType": v["policy_type"],
        "ResourceId": v["resource_id"],
        "ScalableDimension": v["scalable_dimension"],
        "ServiceNamespace": v["service_namespace"],
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": tracking["target_value"],
            "ScaleInCooldown": tracking["scale_in_cooldown"],
            "ScaleOutCooldown": tracking["scale_out_cooldown"],
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": tracking["predefined_metric_specification"][0]["predefined_metric_type"]
            },
        },
    }


def security_group(v, values):
    rules = [
        {
            "Description": r["description"],
            "IpProtocol": r["ip_protocol"],
            "FromPort": r["from_port"],
            "ToPort": r["to_port"],
            "CidrIp": r["cidr_ipv4"],
        }
        for r in of_type(values, "aws_vpc_security_group_egress_rule")
    ]
    return "AWS::EC2::SecurityGroup", tagged(
        {"GroupName": v["name"], "GroupDescription": v["description"], "VpcId": v["vpc_id"], "SecurityGroupEgress": rules}, v
    )


def document(v, _):
    return "AWS::SSM::Document", tagged(
        {
            "Name": v["name"],
            "DocumentType": v["document_type"],
            "DocumentFormat": v["document_format"],
            "Content": json.loads(v["content"]),
        },
        v,
    )


def experiment(v, _):
    return "AWS::FIS::ExperimentTemplate", {
        "Description": v["description"],
        "RoleArn": v["role_arn"],
        "Tags": v["tags"],
        "Targets": {},
        "Actions": {
            a["name"]: {
                "ActionId": a["action_id"],
                "Description": a["description"],
                "Parameters": {p["key"]: p["value"] for p in a["parameter"]},
            }
            for a in v["action"]
        },
        "StopConditions": [
            {"Source": s["source"], **({"Value": s["value"]} if s["value"] else {})} for s in v["stop_condition"]
        ],
    }


MIRRORED = {
    "aws_appautoscaling_policy": scaling_policy,
    "aws_appautoscaling_target": scaling_target,
    "aws_cloudwatch_composite_alarm": composite_alarm,
    "aws_cloudwatch_dashboard": dashboard,
    "aws_cloudwatch_event_rule": event_rule,
    "aws_cloudwatch_log_group": log_group,
    "aws_cloudwatch_log_metric_filter": metric_filter,
    "aws_cloudwatch_metric_alarm": metric_alarm,
    "aws_cloudwatch_query_definition": query_definition,
    "aws_ecs_cluster": cluster,
    "aws_ecs_service": service,
    "aws_ecs_task_definition": task_definition,
    "aws_fis_experiment_template": experiment,
    "aws_iam_role": role,
    "aws_security_group": security_group,
    "aws_sns_topic": topic,
    "aws_sns_topic_policy": topic_policy,
    "aws_sns_topic_subscription": subscription,
    "aws_ssm_document": document,
}
# Part of another's mirror.
INSIDE = {"aws_cloudwatch_event_target", "aws_iam_role_policy", "aws_vpc_security_group_egress_rule"}
# The instances of the ec2 example, which are not the module's.
LEFT_OUT = {
    "aws_autoscaling_group",
    "aws_ecs_capacity_provider",
    "aws_ecs_cluster_capacity_providers",
    "aws_iam_instance_profile",
    "aws_iam_role_policy_attachment",
    "aws_launch_template",
}


def template(values):
    """The mirror of a state; a type that is not known here is an error."""
    mirrored = {}
    for address, resource in sorted(resources(values).items()):
        if resource["type"] in INSIDE | LEFT_OUT:
            continue
        kind, properties = MIRRORED[resource["type"]](resource["values"], values)
        name = "".join(c for c in address if c.isalnum())
        mirrored[name] = {"Type": kind, "Properties": {k: p for k, p in properties.items() if p not in (None, "")}}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": mirrored}
