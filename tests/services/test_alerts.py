"""What an operator is told: both sides of each bound, and the bounds are those of the alert rules."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.services.operations import alerts as bounds
from core.services.operations.alerts import alerts
from core.services.operations.minutes import Minute, Times

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HEALTHY: dict[str, Any] = {
    "disk": {"free_mib": 50, "total_mib": 100},
    "models": {"weld": {"usable": True}},
    "audit": {"verified_at": NOW.isoformat(), "is_whole": True},
    "backup": {"at": NOW.isoformat()},
}


def told(content: dict[str, Any] | None = None, minutes: list[Minute] | None = None) -> list[str]:
    found = alerts(HEALTHY | (content or {}), minutes or [], NOW, is_usable=True)
    return [one.rule for one in found]


def over(n: int, levels: dict[str, float], times: Callable[[], dict[str, Times]] = dict) -> list[Minute]:
    """The last `n` minutes, all alike."""
    return [Minute(NOW - timedelta(minutes=n - i), times(), levels) for i in range(n)]


def times(n: int, seconds: float, n_failed: int = 0) -> Times:
    made = Times()
    for i in range(n):
        made.add(seconds, is_failed=i < n_failed)
    return made


def test_a_healthy_installation_is_told_nothing_of() -> None:
    minutes = over(30, {"analysis_queue": 50}, lambda: {"answer page": times(100, 0.1, 2)})
    assert told(minutes=minutes) == []


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ({"models": {"weld": {"usable": False, "reason": "gone"}}}, "RadikalModelUnusable"),
        ({"audit": {"verified_at": NOW.isoformat(), "is_whole": False}}, "RadikalAuditBroken"),
        ({"disk": {"free_mib": 9, "total_mib": 100}}, "RadikalDiskLow"),
        ({"disk": {"free_mib": 10, "total_mib": 100}}, None),
        ({"backup": {"at": (NOW - timedelta(hours=27)).isoformat()}}, "RadikalBackupOld"),
        ({"backup": {"at": (NOW - timedelta(hours=26)).isoformat()}}, None),
        ({"backup": {"at": None}}, None),
        ({"audit": {"verified_at": (NOW - timedelta(days=9)).isoformat()}}, "RadikalAuditUnverified"),
        ({"audit": {"verified_at": (NOW - timedelta(days=8)).isoformat()}}, None),
    ],
)
def test_the_state_is_judged_on_both_sides_of_each_bound(content: dict[str, Any], rule: str | None) -> None:
    assert told(content) == ([] if rule is None else [rule])


@pytest.mark.parametrize(
    ("minutes", "rule"),
    [
        (over(5, {}, lambda: {"answer page": times(100, 0.1, 3)}), "RadikalFailing"),
        (over(10, {}, lambda: {"answer page": times(10, 7.0)}), "RadikalSlow"),
        (over(10, {}, lambda: {"answer api detect": times(10, 7.0)}), None),
        (over(10, {}, lambda: {"read weld": times(2, 90.0)}), "RadikalDetectsSlowly"),
        (over(15, {"analysis_queue": 51}), "RadikalQueueLong"),
        (over(14, {"analysis_queue": 51}), None),  # not for long enough
        (over(30, {"jobs_inspect_queued": 1}), "RadikalJobsWait"),
        (over(30, {"jobs_inspect_queued": 0}), None),
        (over(5, {"connections_in_use": 15, "connections_idle": 0}), "RadikalDatabaseBusy"),
        (over(5, {"connections_in_use": 15, "connections_idle": 3}), None),
        (over(30, {}, lambda: {"read weld": times(1, 1.0, 1)}), "RadikalStrangeImages"),
        (over(20, {}, lambda: {"read weld": times(1, 1.0, 1)}), None),  # too few to say
    ],
)
def test_the_last_minutes_are_judged_on_both_sides(minutes: list[Minute], rule: str | None) -> None:
    assert told(minutes=minutes) == ([] if rule is None else [rule])


def test_what_is_urgent_stands_first() -> None:
    content = HEALTHY | {"disk": {"free_mib": 1, "total_mib": 100}}
    found = alerts(content, [], NOW, is_usable=False)
    assert [(one.rule, one.is_urgent) for one in found] == [
        ("RadikalNotReady", True),
        ("RadikalDiskLow", False),
    ]


def test_bounds_and_urgency_are_those_of_the_alert_rules(repository: Path) -> None:
    text = (repository / "deploy" / "prometheus" / "rules" / "radikal.yml").read_text(encoding="utf-8")
    rules = {rule["alert"]: rule for rule in yaml.safe_load(text)["groups"][0]["rules"]}
    expected = {
        "RadikalFailing": [f"> {bounds.FAILING_SHARE}", "[5m]"],
        "RadikalSlow": [f"> {bounds.SLOW_S}", "[10m]", '!="api detect"'],
        "RadikalDetectsSlowly": [f"> {bounds.READS_SLOWLY_S}", "[30m]"],
        "RadikalQueueLong": [f"> {bounds.QUEUE_LONG}"],
        "RadikalJobsWait": ["[30m]", "> 0"],
        "RadikalDatabaseBusy": [f"> {bounds.CONNECTIONS}", f"> {bounds.CONNECTIONS_PER_IDLE} *"],
        "RadikalDiskLow": [f"< {bounds.DISK_SHARE}"],
        "RadikalBackupOld": [f"> {bounds.BACKUP_HOURS} * 3600"],
        "RadikalAuditUnverified": [f"> {bounds.AUDIT_DAYS} * 86400"],
        "RadikalStrangeImages": [f"> {bounds.STRANGE_SHARE}", f"> {bounds.STRANGE_LEAST}", "[6h]"],
        "RadikalNotReady": ["== 0"],
        "RadikalModelUnusable": ["== 0"],
        "RadikalAuditBroken": ["== 0"],
    }
    source = Path(bounds.__file__).read_text(encoding="utf-8")
    urgent = dict(re.findall(r'Alert\(\s*"(\w+)", (True|False)', source))
    assert set(urgent) == set(expected)
    elsewhere = {"RadikalDown", "RadikalDrift", "RadikalProbabilitiesMoved", "RadikalVersionChanged"}
    assert set(rules) - set(urgent) == elsewhere  # what the module says that it leaves to others
    for name, parts in expected.items():
        for part in parts:
            assert part in rules[name]["expr"], name
        assert urgent[name] == str(rules[name]["labels"]["severity"] == "page"), name
