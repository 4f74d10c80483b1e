"""Numbers out of CloudWatch: ECS's and Container Insights' metrics of a service, and Logs Insights."""

import time
from datetime import datetime, timezone

PATIENCE_S = 30  # for a query of Logs Insights

# id: (namespace, metric, statistic, what it is for people, unit)
OF_SERVICE = {
    "used_max": ("AWS/ECS", "MemoryUtilization", "Maximum", "the fullest task", "%"),
    "used_avg": ("AWS/ECS", "MemoryUtilization", "Average", "average of the tasks, which hides it", "%"),
    "insights": ("ECS/ContainerInsights", "MemoryUtilized", "Maximum", "Container Insights, used by all tasks", "MB"),
    "reserved": ("ECS/ContainerInsights", "MemoryReserved", "Maximum", "Container Insights, reserved by all tasks", "MB"),
    "restarts": ("ECS/ContainerInsights", "RestartCount", "Sum", "restarts in place", ""),
}


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_service(aws, place, since, period=60):
    """[{id, what, unit, values: [[time, value]…]}], oldest first."""
    dimensions = [{"Name": "ClusterName", "Value": place.cluster.rsplit("/", 1)[-1]}, {"Name": "ServiceName", "Value": place.name}]
    queries = [
        {"Id": name, "MetricStat": {"Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions},
                                    "Period": period, "Stat": statistic}}
        for name, (namespace, metric, statistic, _, _) in OF_SERVICE.items()
    ]
    answer = aws.read("cloudwatch", "get-metric-data", {"MetricDataResults": []}, metric_data_queries=queries,
                      start_time=stamp(since), end_time=stamp(time.time() + 60))
    return [
        {"id": result["Id"], "what": OF_SERVICE[result["Id"]][3], "unit": OF_SERVICE[result["Id"]][4],
         "values": sorted([t, v] for t, v in zip(result["Timestamps"], result["Values"]))}
        for result in answer["MetricDataResults"]
    ]


def lines(numbers):
    said = []
    for one in numbers:
        if one["values"]:
            values = [value for _, value in one["values"]]
            shown = sum(values) if one["id"] == "restarts" else max(values)
            last = "" if one["id"] == "restarts" else f", last {values[-1]:g}"
            said.append(f"{one['what']}: {'in all' if one['id'] == 'restarts' else 'peak'} {shown:g}{last} {one['unit']}".rstrip())
    return said or ["no points of ECS or Container Insights"]


FULLEST = ('filter event = "memory.sample" | stats max(used_percent) as peak, latest(used_percent) as last by task_id '
           "| sort peak desc | limit 1000")


def fullest(aws, group, since):
    """The fullest tasks, by Logs Insights."""
    return query(aws, group, since, FULLEST)


def fullest_lines(peaks, running):
    """The five tasks that were fullest, and the ten fullest of those that run (ids): the service's present is not to be hidden by its dead."""
    rows = [row for row in peaks if "peak" in row]
    shown = rows[:5] + [row for row in rows[5:] if row.get("task_id") in running][:10]
    return [f"{row.get('task_id', '?')[:8]}  peak {row['peak']} %, last {row['last']} %" + (", runs" if row.get("task_id") in running else "")
            for row in shown]


def query(aws, group, since, text):
    """Rows of a Logs Insights query as dicts."""
    started = aws.read("logs", "start-query", {"queryId": "QUERY_ID"}, log_group_name=group, start_time=int(since),
                       end_time=int(time.time()) + 60, query_string=text)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = aws.read("logs", "get-query-results", {"status": "Complete", "results": []}, query_id=started["queryId"])
        if answer["status"] not in ("Scheduled", "Running") or time.monotonic() > deadline:
            return [{cell["field"]: cell.get("value") for cell in row} for row in answer["results"]]
        time.sleep(0.5)
