"""What a comparison shows, as a file."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.models.compare import plots, rows
from app.models.compare.words import set_words
from core.domain.accounts import Identity
from core.domain.pod_words import size_words
from core.evaluate.comparison import VersionComparison
from core.reports.comparison_report import ComparisonReport, ComparisonTable
from core.services.evaluation.evaluations import VersionOnSet
from core.store.evaluations import EvaluationSet


def report_of(
    identity: Identity,
    chosen: EvaluationSet,
    found: Sequence[VersionOnSet],
    comparisons: Sequence[VersionComparison],
    pods: Sequence[Mapping[str, Any] | None],
    probability: float | None,
) -> ComparisonReport:
    """The findings, figures and digests of a comparison.

    Args:
        identity: who exports it.
        chosen: the set.
        found: the versions on it, the first of which the others are compared with.
        comparisons: each other version with the first.
        pods: probability of detection of each version.
        probability: operating point that the figures are of; None for each version's own.
    """
    names = plots.names_of(found)
    findings = [
        sentence
        for name, comparison in zip(names[1:], comparisons, strict=True)
        for _, _, sentence in rows.finding_rows(comparison, names[0], name)
    ]
    provenance = [(f"{row['name']}: seen", row["said"]) for row in rows.provenance_rows(found)]
    return ComparisonReport(
        title=f"{chosen.model_name}: {' and '.join(names)} compared",
        findings=tuple(findings),
        facts=(
            ("Evaluation set", f"{set_words(chosen)}; sha256 {chosen.digest}"),
            ("Operating point", _point_words(found, probability)),
            ("Intervals and verdicts", rows.parts_words(comparisons[0].n_parts)),
            *(fact for one in found for fact in _facts(one)),
            *provenance,
        ),
        tables=(
            _figures("Figures", names, rows.main_rows(comparisons)),
            _figures("Recall by class and size", names, rows.group_rows(comparisons, "recall")),
            _sizes(names, pods),
        ),
        made_by=identity.name,
        made_at=datetime.now(UTC),
    )


def _point_words(found: Sequence[VersionOnSet], probability: float | None) -> str:
    if probability is not None:
        return f"probability {probability:.2f} for every version"
    own = (f"v{one.version.version} {one.version.calibration.operating_probability:.2f}" for one in found)
    return f"each version at its own: {', '.join(own)}"


def _facts(one: VersionOnSet) -> list[tuple[str, str]]:
    version, name = one.version, f"v{one.version.version}"
    facts = [(f"{name}: weights", f"sha256 {version.sha256}")]
    if one.stored is not None:
        key = one.stored.key
        facts.append(
            (
                f"{name}: calibration",
                f"id {key.calibration_id}; figures by rule {key.figures_version}",
            )
        )
    return facts


def _figures(title: str, names: Sequence[str], lines: Sequence[Mapping[str, Any]]) -> ComparisonTable:
    head = ["Figure", names[0]]
    for name in names[1:]:
        head += [name, f"{name} - {names[0]}", "Verdict"]
    return ComparisonTable(title, tuple(head), tuple(_line(line, len(names) - 1) for line in lines))


def _line(line: Mapping[str, Any], n_others: int) -> tuple[str, ...]:
    cells = [line["title"], _with_interval(line["value"], line["interval"])]
    for other in (*line["others"], *(None,) * (n_others - len(line["others"]))):
        if other is None:
            cells += ["", "", ""]
            continue
        cells.append(_with_interval(other["value"], other["interval"]))
        cells.append(_with_interval(other["difference"], other["difference_interval"]))
        cells.append(": ".join(filter(None, (other["verdict"], other["why"]))))
    return tuple(cells)


def _with_interval(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value


def _sizes(names: Sequence[str], pods: Sequence[Mapping[str, Any] | None]) -> ComparisonTable:
    lines = []
    for name, one in zip(names, pods, strict=True):
        if one is None:
            lines.append((name, "not measured", "", "", ""))
            continue
        pod = one["pod"]
        sizes = [size_words(pod[key]) for key in ("a50", "a90", "a90_95")]
        lines.append((name, *sizes, f"{one['false_calls_per_image']:.2f}; {one['on']}"))
    head = ("Detection by size", "a50", "a90", "a90/95", "False calls an image; flaws")
    return ComparisonTable("Probability of detection", head, tuple(lines))
