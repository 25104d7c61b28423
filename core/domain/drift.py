"""Drift: whether the images that a version reads are like those that it read first, and alarms about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

#: Names of the physical figures; the first three are shares of full scale.
GREY_LEVEL, CONTRAST, NOISE = "grey level", "contrast", "noise"
GRAIN, FINENESS, BLUR, CNR = "grain", "noise fineness", "blur", "CNR"
_SHARES = frozenset({GREY_LEVEL, CONTRAST, NOISE})
#: Name of the test of all embeddings together, beside the figures.
EMBEDDING = "appearance"
#: What is said of a probability while a drift alarm stands begins with it.
VOID = "probability not verified: drift"
_NAMED = 4


class ScopeKind(StrEnum):
    """Images that are compared with each other."""

    VERSION = "version"
    EQUIPMENT = "equipment"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Scope:
    """All images of a version, or those of one part or one equipment; `value` is empty for all."""

    kind: ScopeKind
    value: str = ""

    @property
    def words(self) -> str:
        """Where, in words."""
        return "all images" if self.kind is ScopeKind.VERSION else f"{self.kind.value} {self.value}"

    def covers(self, *, equipment: str, part: str) -> bool:
        """True when an image of this equipment and part belongs to it."""
        return self.value == {ScopeKind.EQUIPMENT: equipment, ScopeKind.PART: part}.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class Shift:
    """One test.

    Attributes:
        name: of the figure, or `EMBEDDING`.
        p, p_adjusted: p-value, and after Holm's correction.
        before, now: medians of the figure; None for embeddings.
        is_shifted: the test speaks for a change.
    """

    name: str
    statistic: float
    p: float
    p_adjusted: float
    before: float | None
    now: float | None
    is_shifted: bool

    @property
    def words(self) -> str:
        """The change, such as "noise 0.012 → 0.016"."""
        if self.before is None or self.now is None:
            return self.name
        return f"{self.name} {figure_words(self.name, self.before)} → {figure_words(self.name, self.now)}"


def figure_words(name: str, value: float | None) -> str:
    """A figure with its unit: per cent of full scale, px of blur, else a plain number; empty for None."""
    if value is None:
        return ""
    if name in _SHARES:
        return f"{100 * value:.3g} %"
    return f"{value:.3g} px" if name == BLUR else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class DriftResult:
    """Every test of recent images against the reference."""

    shifts: tuple[Shift, ...]

    @property
    def is_alarm(self) -> bool:
        """True when any test speaks for a change."""
        return any(one.is_shifted for one in self.shifts)

    @property
    def changed(self) -> tuple[Shift, ...]:
        """Those that changed, the surest first."""
        return tuple(sorted((one for one in self.shifts if one.is_shifted), key=lambda one: one.p_adjusted))

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain JSON; `of_dict` reads it back."""
        return [{name: getattr(one, name) for name in Shift.__dataclass_fields__} for one in self.shifts]

    @classmethod
    def of_dict(cls, content: Sequence[Mapping[str, Any]]) -> Self:
        """What `to_dict` wrote."""
        return cls(tuple(Shift(**one) for one in content))


@dataclass(frozen=True, slots=True)
class NoiseSensitivity:
    """How soon more noise of the same grain is noticed among the images of a reference.

    Attributes:
        times: the noise is so many times that of the reference.
        n_images: after the change until an alarm is raised in nine of ten cases; None where more than `most`.
        n_window: images of a window.
        most: images that were looked at.
        spread: factor between the noise of the 5th and the 95th of a hundred images of the reference.
    """

    times: float
    n_images: int | None
    n_window: int
    most: int
    spread: float

    @property
    def is_at_once(self) -> bool:
        """True when the first window notices it."""
        return self.n_images == self.n_window

    @property
    def words(self) -> str:
        """What it means, a sentence without a full stop."""
        change = f"{self.times - 1:.0%} more noise of the same grain"
        mixed = f"noise differs by a factor of {self.spread:.2g} among the images of the reference"
        if self.n_images is None:
            return f"{mixed}: {change} would not surely be noticed within {self.most:,} images"
        return f"{mixed}: {change} is noticed within {self.n_images:,} images, nine times of ten"


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """The images that a version reads changed; void until somebody acknowledges it.

    Attributes:
        since: when the first image of the window was read, UTC: from then on nothing is verified.
        raised_at: UTC.
        n_reference, n_recent: images that were compared.
        acknowledged_by: id of the account, None for a command; None as well while it stands.
        is_new_reference: the images from then on are what later ones are compared with.
    """

    alarm_id: str
    model_name: str
    model_version: int
    model_sha256: str
    scope: Scope
    since: datetime
    raised_at: datetime
    n_reference: int
    n_recent: int
    result: DriftResult = field(hash=False)
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    note: str = ""
    is_new_reference: bool = False

    @property
    def is_standing(self) -> bool:
        """True until it is acknowledged."""
        return self.acknowledged_at is None

    @property
    def words(self) -> str:
        """What changed, and that it voids: a sentence without a full stop."""
        changed = self.result.changed
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        what = ", ".join(one.words for one in changed[:_NAMED])
        return f"drift since {self.since:%Y-%m-%d %H:%M} UTC in {self.scope.words} ({what}{more})"

    @property
    def void_words(self) -> str:
        """The same where a probability is shown."""
        return f"{VOID}{self.words.removeprefix('drift')}, not acknowledged yet"
