"""What Prometheus is told, and whom; the rules and the dashboard ask for nothing else."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from app.shared.resources import Resources
from app.web.metrics import Metrics, MetricsPage
from app.web.middleware.arrival import Arrival
from app.web.middleware.measuring import Measuring, area_of
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from tests.app.api.conftest import TestClient
from tests.app.people import add_user
from tests.asgi import Inner, ask
from tests.conftest import REPOSITORY
from tests.records import detection_result

DEPLOY = REPOSITORY / "deploy"
RULES = DEPLOY / "prometheus" / "rules" / "radikal.yml"
DASHBOARD = DEPLOY / "grafana" / "provisioning" / "dashboards" / "radikal.json"
#: Told only where a backup was made, a GPU is there, the audit log was verified.
SOMETIMES = {
    "radikal_audit_verified_timestamp_seconds",
    "radikal_audit_whole",
    "radikal_backup_timestamp_seconds",
    "radikal_drift_alarms",
    "radikal_gpu_memory_free_bytes",
    "radikal_gpu_use_ratio",
}
OTHERS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
_NAME = re.compile(r"\b(?:radikal|process)_[a-z_]+\b|\bup\b(?=\{)")


@pytest.fixture
def metrics(workplace: Resources) -> Metrics:
    return Metrics()


def values(metrics: Metrics) -> dict[str, float]:
    """Each sample of our own, by name and labels."""
    return {
        " ".join((one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items())))): one.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for one in family.samples
    }


def asked_for() -> Iterator[str]:
    """Every expression of the rules and the dashboard."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def test_requests_are_counted_by_area_method_and_status(metrics: Metrics) -> None:
    app = Measuring(Inner(), metrics=metrics)
    for path in ("/api/xai-qc/inspections/1", "/api/xai-qc/inspections/2", "/history"):
        ask(app, path)
    found = values(metrics)
    assert found["radikal_requests_total area=api inspections method=GET status=200"] == 2
    assert found["radikal_requests_total area=page method=GET status=200"] == 1
    assert found["radikal_request_seconds_count area=api inspections"] == 2
    assert found["radikal_requests_under_way"] == 0


def test_a_failure_and_a_page_that_closes_are_told(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="x"):
        ask(Measuring(Inner(fails=ValueError("x")), metrics=metrics), "/")
    ask(Measuring(Inner(), metrics=metrics), "/_stcore/stream", kind="websocket")
    found = values(metrics)
    assert found["radikal_requests_total area=page method=GET status=499"] == 1
    assert (found["radikal_requests_under_way"], found["radikal_open_pages"]) == (0, 0)


@pytest.mark.parametrize("path", ["/api/xai-qc/x/../y", "/api/zzz", "/zzz", "/pixels", "/api/xai-qc/"])
def test_nobody_makes_up_labels(path: str) -> None:
    assert area_of(path) in {"api other", "page", "pixels"}


def test_each_radiograph_and_its_boxes_are_counted(metrics: Metrics) -> None:
    metrics.detected(detection_result())
    found = values(metrics)
    assert found["radikal_images_total model=weld version=2"] == 1
    assert found["radikal_boxes_total model=weld version=2"] == 1  # 0.8 of 0.8 and 0.3, from 0.4
    assert found["radikal_box_probability_bucket le=0.5 model=weld"] == 1
    assert found["radikal_box_probability_count model=weld"] == 2
    assert found["radikal_detect_seconds_sum model=weld"] == pytest.approx(0.1234)


def test_the_state_is_looked_at_when_asked(workplace: Resources, metrics: Metrics) -> None:
    assert values(metrics)["radikal_jobs kind=inspect state=queued"] == 0
    with workplace.services.store.write() as work:
        work.jobs.add("inspect", {})
    found = values(metrics)
    assert found["radikal_jobs kind=inspect state=queued"] == 1
    assert (found["radikal_ready"], found["radikal_model_serving model=weld version=1"]) == (1, 1)
    assert 0 < found["radikal_disk_free_bytes"] <= found["radikal_disk_total_bytes"]
    workplace.services.registry.is_there = False
    assert values(metrics)["radikal_ready"] == 0


def test_strangers_are_told_nothing(workplace: Resources, metrics: Metrics) -> None:
    token = "tell-prometheus-and-nobody-else"
    app = Starlette(
        routes=[Route("/metrics", MetricsPage(metrics, SecretStr(token)).__call__)],
        middleware=[Middleware(Arrival)],
    )
    for name, role in (("head", Role.ADMIN), ("station", Role.INSPECTOR)):
        add_user(workplace, name, role)
    keys = {
        name: workplace.services.api_keys.add(COMMAND_LINE, name, "x", [Scope.READ], days=1).token
        for name in ("head", "station")
    }
    with TestClient(app, client=("192.0.2.7", 50_000)) as far:
        may = {None: False, token: True, "wrong": False, keys["head"]: True, keys["station"]: False}
        for given, is_told in may.items():
            headers = {} if given is None else {"Authorization": f"Bearer {given}"}
            answer = far.get("/metrics", headers=headers)
            assert answer.status_code == (200 if is_told else 401)
            assert ("radikal_ready" in answer.text) is is_told
    with TestClient(app, client=("127.0.0.1", 50_000)) as near:
        assert near.get("/metrics").status_code == 200
        assert near.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401


def test_rules_and_dashboard_ask_for_what_there_is_and_leave_nothing_out(metrics: Metrics) -> None:
    metrics.answered("page", "GET", 200, 0.1)
    metrics.detected(detection_result())
    told = {one.partition(" ")[0] for one in values(metrics)} | SOMETIMES | OTHERS
    asked = {name for expression in asked_for() for name in _NAME.findall(expression)}
    assert asked <= told
    families = {re.sub(r"_(bucket|count|sum|created|total)$", "", name) for name in told - OTHERS
                if name.startswith("radikal_")}  # fmt: skip
    shown = {re.sub(r"_(bucket|count|sum|total)$", "", name) for name in asked}
    assert families - shown == set()


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("no promtool here: install the package prometheus")
    return found


def test_promtool_takes_the_rules_and_what_is_told(promtool: str, metrics: Metrics) -> None:
    metrics.detected(detection_result())
    for command, given in ((["check", "rules", str(RULES)], None), (["check", "metrics"], metrics.text())):
        done = subprocess.run([promtool, *command], input=given, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_expression_of_the_dashboard_parses(promtool: str, tmp_path: Path) -> None:
    """Checked as recording rules, which promtool parses; it refuses one that Prometheus would not take."""

    def check(expressions: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        rules = [{"record": f"panel:{n}", "expr": one} for n, one in enumerate(expressions)]
        (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
        return subprocess.run([promtool, "check", "rules", str(tmp_path / "rules.yml")], capture_output=True)

    panels = json.loads(DASHBOARD.read_text())["panels"]
    done = check([target["expr"] for panel in panels for target in panel["targets"]])
    assert done.returncode == 0, done.stdout + done.stderr
    assert check(["sum by (le) (rate(x[5m])"]).returncode != 0  # a bracket is missing


def test_the_dashboard_is_one_that_grafana_draws() -> None:
    """What Grafana (schema 39) needs of a panel: an id, a place, a provisioned source, queries."""
    dashboard = json.loads(DASHBOARD.read_text())
    sources = yaml.safe_load((DASHBOARD.parents[1] / "datasources" / "prometheus.yml").read_text())
    known = {one["uid"]: one["type"] for one in sources["datasources"]}
    assert (dashboard["uid"], dashboard["schemaVersion"]) == ("radikal", 39)
    panels, cells = dashboard["panels"], set()
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["type"] in {"timeseries", "stat", "gauge", "heatmap", "table"}
        source = panel["datasource"]
        assert known[source["uid"]] == source["type"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {(x, y) for x in range(place["x"], place["x"] + place["w"])
               for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not own & cells, panel["title"]
        cells |= own


def test_alerts_fire_when_they_should(promtool: str, tmp_path: Path) -> None:
    def case(series: dict[str, str], at: str, alert: str, *labels: dict[str, str]) -> dict[str, Any]:
        return {
            "interval": "1m",
            "input_series": [{"series": name, "values": run} for name, run in series.items()],
            "alert_rule_test": [
                {"eval_time": at, "alertname": alert, "exp_alerts": [{"exp_labels": one} for one in labels]}
            ],
        }

    page, ticket = {"severity": "page"}, {"severity": "ticket"}
    disk = {"radikal_disk_free_bytes": "50x20", "radikal_disk_total_bytes": "1000x20"}
    tests = [
        case({"radikal_ready": "1x3 0x10"}, "4m", "RadikalNotReady"),
        case({"radikal_ready": "1x3 0x10"}, "7m", "RadikalNotReady", page),
        case({'up{job="radikal"}': "0x10"}, "3m", "RadikalDown", {**page, "job": "radikal"}),
        case(disk, "10m", "RadikalDiskLow", ticket),
        case(disk | {"radikal_disk_free_bytes": "500x20"}, "10m", "RadikalDiskLow"),
        case({"radikal_audit_whole": "0x5"}, "1m", "RadikalAuditBroken", page),
    ]
    rules = yaml.safe_load(RULES.read_text())
    for rule in rules["groups"][0]["rules"]:
        rule.pop("annotations")  # the words are not compared
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    done = subprocess.run(
        [promtool, "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
