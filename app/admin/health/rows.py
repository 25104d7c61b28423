"""The state of the installation in words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.services.auditing import moment
from core.services.health import Overview
from core.services.operations.minutes import Minute

_WORDS = {"ok": "Everything works", "degraded": "Part of it does not work", "unusable": "It cannot be used"}
_ALERTED = "It works, and needs a look"
_PARTS = {
    "database": "Database",
    "signing_key": "Signing key",
    "data_folder": "Data folder",
    "originals": "Original films",
    "disk": "Disk",
    "registry": "Model registry",
}
_GIB = 1024
_S_PER_MINUTE, _S_PER_HOUR, _S_PER_DAY = 60, 3600, 86_400


def headline(overview: Overview) -> dict[str, str]:
    """Status, its word, and what else fits in the first line."""
    content = overview.report.content
    n = len(overview.alerts)
    told = "no alert" if not n else "1 alert" if n == 1 else f"{n} alerts"
    said = f"{told} · up for {lasting(content['uptime_s'])} · looked at {overview.at:%H:%M:%S} UTC"
    status, word = content["status"], _WORDS[content["status"]]
    if n and status == "ok":
        status, word = "degraded", _ALERTED
    return {"status": status, "word": word, "said": said}


def parts(content: Mapping[str, Any]) -> dict[str, str]:
    """Each part that has to be right, with what is wrong."""
    found = {}
    for name, label in _PARTS.items():
        if (part := content.get(name)) is not None:
            found[label] = part.get("problem") or f"works{_disk(part) if name == 'disk' else ''}"
    return found


def serving(content: Mapping[str, Any], latest: Minute | None) -> dict[str, str]:
    """Versions that serve, what waits and runs, and what they run on."""
    found = {}
    for name, model in content["models"].items():
        state = "loaded" if model["loaded"] else "not loaded yet"
        version = f"version {model['version']}, {state}" if "version" in model else ""
        found[name] = version if model["usable"] else f"{version} cannot be used: {model['reason']}".strip()
    levels = latest.levels if latest else {}
    if "analysis_queue" in levels:
        found["Waiting"] = f"{levels['analysis_queue']:.0f} images"
    if "jobs_running" in levels:
        found["Jobs"] = f"{levels['jobs_running']:.0f} running, {levels['jobs_queued']:.0f} waiting"
    if "connections_in_use" in levels:
        in_use, idle = levels["connections_in_use"], levels["connections_idle"]
        found["Connections"] = f"{in_use:.0f} to the database in use, {idle:.0f} idle"
    found["Device"] = _device(content)
    return found


def kept(content: Mapping[str, Any]) -> dict[str, str]:
    """The last backup, drill and verification."""
    audit = content["audit"]
    verified = audit.get("verified_at")
    whole = "whole" if audit.get("is_whole", True) else "not whole: see the page Audit"
    return {
        "Backup": _recovered(content.get("backup", {}), "radikal backup"),
        "Drill of a restore": _recovered(content.get("drill", {}), "radikal drill"),
        "Audit log verified": f"{moment(datetime.fromisoformat(verified))}, {whole}"
        if verified
        else _never("radikal audit verify"),
    }


def lasting(seconds: float) -> str:
    """A length of time in its largest unit, such as "3 hours"."""
    for length, name in (
        (_S_PER_DAY, "day"),
        (_S_PER_HOUR, "hour"),
        (_S_PER_MINUTE, "minute"),
        (1, "second"),
    ):
        if seconds >= length or length == 1:
            n = int(seconds // length)
            return f"{n} {name}{'' if n == 1 else 's'}"
    raise AssertionError


def _disk(part: Mapping[str, Any]) -> str:
    if "free_mib" not in part:
        return ""
    free, total = part["free_mib"] / _GIB, part["total_mib"] / _GIB
    return f", {free:.0f} of {total:.0f} GiB free"


def _device(content: Mapping[str, Any]) -> str:
    gpu = content["gpu"]
    if not gpu["present"]:
        return f"{content['device']}, no GPU"
    free, total = gpu["memory_free_mib"] / _GIB, gpu["memory_total_mib"] / _GIB
    use = f", {gpu['use']:.0%} in use" if "use" in gpu else ""
    return f"{content['device']}, {gpu['name']}{use}, {free:.1f} of {total:.1f} GiB free"


def _never(command: str) -> str:
    return f"never: run {command} by a timer"


def _recovered(fact: Mapping[str, Any], command: str) -> str:
    if fact.get("at") is None:
        return _never(command)
    n = fact.get("n_problems", 0)
    doubt = f", {n} problems" if n else ", not whole" if fact.get("is_whole") is False else ""
    return f"{moment(datetime.fromisoformat(fact['at']))}{doubt}"
