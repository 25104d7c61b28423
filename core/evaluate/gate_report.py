"""The promotion gate: rule, evidence, checks, report."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

Interval = tuple[float, float]


class CheckState(StrEnum):
    """Result of one check."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_EVALUABLE = "not evaluable"
    NOTED = "noted"  # told, judges nothing


@dataclass(frozen=True, slots=True)
class GateRule:
    """The bounds; docs/promotion.md gives the reason of each.

    Attributes:
        recall_margin: the lower end of the interval of the difference may lie so far below zero.
        d_ece_bound: D-ECE above it refuses, unless a perfectly calibrated model reaches it as well.
        latency_factor: so many times the champion's time an image.
        min_parts: independent parts below which a difference is not evaluable.
        few_parts: below so many the interval is told to be too narrow.
        size_factor: the candidate's a90/95 may be so many times the champion's.
        min_shadow_images: the candidate has to have read so many images unseen; 0 does not ask.
    """

    recall_margin: float = 0.05
    d_ece_bound: float = 0.05
    latency_factor: float = 2.0
    min_parts: int = 6
    few_parts: int = 20
    size_factor: float = 1.1
    min_shadow_images: int = 0


@dataclass(frozen=True, slots=True)
class PairedFigure:
    """One figure of candidate and champion over the same images.

    Attributes:
        difference: candidate minus champion.
        interval: 95 % of the difference, by a bootstrap that draws whole parts for both at once.
    """

    candidate: float
    champion: float
    difference: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class PodFigure:
    """The probability of detection of one version.

    Attributes:
        set_digest: of the flaws and of what counts as their size.
        a90_95: mm above which at least 0.9 are found with 95 % confidence; None where it is not reached.
        reason: why there is no curve; empty where there is one.
        n_trained_on: images of these flaws that trained the version or an ancestor.
    """

    set_digest: str
    a90_95: float | None
    reason: str = ""
    n_trained_on: int = 0


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """Figures of a candidate, and of the champion beside it, on one set. None: not measured.

    Attributes:
        candidate, champion: version numbers; no champion: None.
        set_name, set_digest: which images.
        n_parts: independent parts of the set.
        recall: paired, each version at its own operating point; None without a champion.
        candidate_recall: of the candidate alone, with its interval.
        false_calls_per_image: paired, likewise.
        d_ece, d_ece_band: of the candidate, and of a perfectly calibrated model of the same size.
        ms_per_image, champion_ms_per_image: time for one image; only where both ran on the same device.
        is_timed_in_turn: the two times are of the same moments.
        n_trained_on: images of the set that trained the candidate or an ancestor, by sha256.
        trained_through: how many of them by which version, where that is an ancestor.
        champion_trained_on: as `n_trained_on`, of the champion.
        n_calibrated_on: images of the set of parts that fitted a calibrator or chose an operating point of
            the candidate or an ancestor.
        calibrated_through: versions that did so.
        n_of_trained_parts: images of the set that show a part which trained the candidate or an ancestor;
            0 where it is made for other views of such parts.
        inherited_from: version whose calibration the candidate keeps without one of its own; else empty.
        unknown_ancestors: of the candidate; what they saw is not known.
        ap50, minimum_ap50: of the candidate, and the release threshold.
        pod, champion_pod: probability of detection by size.
        n_shadow: images of the champion that the candidate read unseen.
        missing: figure to why it was not measured.
    """

    candidate: int
    champion: int | None
    set_name: str = ""
    set_digest: str = ""
    n_images: int = 0
    n_boxes: int = 0
    n_parts: int = 0
    recall: PairedFigure | None = None
    candidate_recall: float | None = None
    candidate_recall_interval: Interval | None = None
    false_calls_per_image: PairedFigure | None = None
    d_ece: float | None = None
    d_ece_band: Interval | None = None
    ms_per_image: float | None = None
    champion_ms_per_image: float | None = None
    is_timed_in_turn: bool = False
    n_trained_on: int | None = None
    champion_trained_on: int | None = None
    trained_through: dict[str, int] = field(default_factory=dict)
    n_calibrated_on: int = 0
    calibrated_through: tuple[str, ...] = ()
    n_of_trained_parts: int = 0
    unknown_ancestors: tuple[str, ...] = ()
    inherited_from: str = ""
    ap50: float | None = None
    ap50_interval: Interval | None = None
    minimum_ap50: float | None = None
    pod: PodFigure | None = None
    champion_pod: PodFigure | None = None
    n_shadow: int = 0
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateCheck:
    """One line of the gate's report.

    Attributes:
        measured, bound: in words, with units and intervals.
        sentence: the outcome and why.
    """

    name: str
    state: CheckState
    measured: str
    bound: str
    sentence: str

    @property
    def refuses(self) -> bool:
        """True when the version may not serve because of it."""
        return self.state in (CheckState.REFUSED, CheckState.NOT_EVALUABLE)


@dataclass(frozen=True, slots=True)
class GateReport:
    """The judgement, and everything that it rests on."""

    evidence: GateEvidence
    rule: GateRule
    checks: tuple[GateCheck, ...]

    @property
    def is_green(self) -> bool:
        """True when nothing refuses."""
        return not any(check.refuses for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every reason to refuse."""
        return tuple(check.sentence for check in self.checks if check.refuses)

    @property
    def compared_with(self) -> str:
        """The version that the candidate was compared with, in words."""
        champion = self.evidence.champion
        return "no champion: the release threshold" if champion is None else f"the champion v{champion}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON content."""
        return {
            "is_green": self.is_green,
            "reasons": list(self.reasons),
            "compared_with": self.compared_with,
            "rule": asdict(self.rule),
            "evidence": {key: _plain(value) for key, value in asdict(self.evidence).items()},
            "checks": [asdict(check) | {"state": check.state.value} for check in self.checks],
        }


def _plain(value: Any) -> Any:
    """The value with lists for tuples, as JSON gives it back."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
