"""What an operator should look at now, by the bounds of the alert rules in deploy/prometheus/rules.

A test compares each bound with its rule. Left to Prometheus are that nobody answers, which cannot be told
from inside, that probabilities moved over two weeks, and that a version drifts or its files changed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.services.operations.minutes import Minute, Times, merged

FAILING_SHARE, SLOW_S, READS_SLOWLY_S = 0.02, 5, 60
QUEUE_LONG, STRANGE_SHARE, STRANGE_LEAST = 50, 0.5, 20
CONNECTIONS, CONNECTIONS_PER_IDLE = 10, 4
DISK_SHARE = 0.1
BACKUP_HOURS, AUDIT_DAYS = 26, 8
_95 = 0.95
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to look at.

    Attributes:
        rule: name of the alert rule.
        is_urgent: somebody should be woken for it.
        sentence: what is the matter, and what to look at first.
    """

    rule: str
    is_urgent: bool
    sentence: str


def alerts(
    content: Mapping[str, Any], minutes: Sequence[Minute], now: datetime, *, is_usable: bool
) -> list[Alert]:
    """What is the matter now, the urgent first; empty when nothing is.

    Args:
        content: of a health report.
        minutes: of the last day, the oldest first.
        now: UTC.
        is_usable: radiographs can be inspected.
    """
    of_state = _of_state(content, now, is_usable=is_usable)
    found = [*of_state, *_of_times(minutes, now), *_of_levels(minutes, now)]
    return sorted(found, key=lambda one: not one.is_urgent)


def _of_state(content: Mapping[str, Any], now: datetime, *, is_usable: bool) -> Iterator[Alert]:
    if not is_usable:
        yield Alert("RadikalNotReady", True, "No radiograph can be inspected; the parts below say why")
    for name, model in content.get("models", {}).items():
        if not model["usable"]:
            yield Alert("RadikalModelUnusable", True, f"{name} cannot be used: {model.get('reason', '')}")
    audit = content.get("audit", {})
    if audit.get("is_whole") is False:
        yield Alert("RadikalAuditBroken", True, "The last verification of the audit log found something: "
                    "see the page Audit before anything else")  # fmt: skip
    disk = content.get("disk", {})
    if disk.get("total_mib") and disk["free_mib"] / disk["total_mib"] < DISK_SHARE:
        share = 100 * disk["free_mib"] / disk["total_mib"]
        yield Alert("RadikalDiskLow", False, f"The disk of the data folder has {share:.0f} % left: "
                    "originals and backups take most of it")  # fmt: skip
    backup = content.get("backup", {}).get("at")
    if backup and now - _moment(backup) > timedelta(hours=BACKUP_HOURS):
        yield Alert("RadikalBackupOld", False, f"The last backup is {_age(now, backup)} old: "
                    "look at the timer that runs `radikal backup`")  # fmt: skip
    verified = audit.get("verified_at")
    if verified and now - _moment(verified) > timedelta(days=AUDIT_DAYS):
        yield Alert("RadikalAuditUnverified", False, f"The audit log was verified {_age(now, verified)} ago: "
                    "run `radikal audit verify`, or use the page Audit")  # fmt: skip


def _of_times(minutes: Sequence[Minute], now: datetime) -> Iterator[Alert]:
    answers = times_of(_lately(minutes, now, 5), "answer ")
    whole = merged(answers.values())
    if whole.n and whole.n_failed / whole.n > FAILING_SHARE:
        share = 100 * whole.n_failed / whole.n
        yield Alert("RadikalFailing", True, f"{share:.0f} % of the requests of the last 5 minutes failed: "
                    "look in the log for status 500 and above, each has a reference")  # fmt: skip
    for area, times in times_of(_lately(minutes, now, 10), "answer ").items():
        slow = times.quantile(_95) or 0.0
        if area != "api detect" and slow > SLOW_S:
            yield Alert("RadikalSlow", False, f"One of twenty answers of {area} takes more than {SLOW_S} s "
                        "(last 10 minutes): load of the machine, jobs beside it, large films")  # fmt: skip
    for model, times in times_of(_lately(minutes, now, 30), "read ").items():
        if (times.quantile(_95) or 0.0) > READS_SLOWLY_S:
            yield Alert("RadikalDetectsSlowly", False, f"{model} takes more than a minute for one of twenty "
                        "radiographs (last 30 minutes)")  # fmt: skip
    for model, times in times_of(_lately(minutes, now, 360), "read ").items():
        if times.n > STRANGE_LEAST and times.n_failed / times.n > STRANGE_SHARE:
            yield Alert("RadikalStrangeImages", False, f"{times.n_failed} of {times.n} images of the last 6 "
                        f"hours look unlike those that calibrated {model}: which parts come in?")  # fmt: skip


def _of_levels(minutes: Sequence[Minute], now: datetime) -> Iterator[Alert]:
    lately = _lately(minutes, now, 15)
    if (waiting := _least(lately, "analysis_queue", 15)) > QUEUE_LONG:
        yield Alert("RadikalQueueLong", False, f"{waiting:.0f} images wait for the network, for 15 minutes: "
                    "is it loaded?")  # fmt: skip
    if _least(_lately(minutes, now, 30), "jobs_inspect_queued", 30) > 0:
        yield Alert("RadikalJobsWait", False, "Jobs that inspect have waited for half an hour: does a worker "
                    "hang? Its job's log tells")  # fmt: skip
    busy = [
        minute.levels.get("connections_in_use", 0) > CONNECTIONS
        and minute.levels["connections_in_use"]
        > CONNECTIONS_PER_IDLE * (minute.levels.get("connections_idle", 0) + 1)
        for minute in _lately(minutes, now, 5)
    ]
    if len(busy) >= 5 and all(busy):
        yield Alert("RadikalDatabaseBusy", False, "Nearly all connections to the database were in use for 5 "
                    "minutes: long transactions, or its disk")  # fmt: skip


def times_of(minutes: Iterable[Minute], kind: str) -> dict[str, Times]:
    """Times over all these minutes by what comes after `kind`, such as the area of `answer `."""
    found: dict[str, list[Times]] = {}
    for minute in minutes:
        for what, times in minute.times.items():
            if what.startswith(kind):
                found.setdefault(what.removeprefix(kind), []).append(times)
    return {name: merged(some) for name, some in sorted(found.items())}


def _lately(minutes: Sequence[Minute], now: datetime, n: int) -> list[Minute]:
    return [minute for minute in minutes if minute.at >= now - n * _MINUTE - _MINUTE]


def _least(minutes: Sequence[Minute], level: str, n: int) -> float:
    """The lowest value in a window that was looked at throughout; 0 when it was not."""
    return min((minute.levels.get(level, 0) for minute in minutes), default=0) if len(minutes) >= n else 0


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _age(now: datetime, text: str) -> str:
    hours = (now - _moment(text)).total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
