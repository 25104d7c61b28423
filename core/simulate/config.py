"""Settings of one simulated radiograph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from core.domain.errors import ConfigurationError
from core.domain.radiograph import Polarity
from core.simulate.kinds import DEFAULT_MIX, FlawKind


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """Settings of `simulate_weld`; everything a setting leaves open is drawn from the seed.

    Attributes:
        height_px, width_px: size of the radiograph; a whole film is about 1300 x 5000.
        mm_per_px: (lowest, highest) pixel pitch at the object, drawn log-uniformly.
        plate_mm: (lowest, highest) plate thickness, drawn log-uniformly.
        polarities: one is drawn; film (less metal is darker) by default.
        bit_depths: one is drawn; significant bits of the pixels, 8 to 16.
        mix: relative frequency of each kind of flaw; a kind that is missing does not occur.
        flaw_groups: mean number of flaws and flaw groups on 100 mm of seam (Poisson); 0 is flaw-free.
        min_groups: at least so many groups are tried; ignored when `flaw_groups` is 0.
        has_furniture: lead letters, wire indicators, film edges and the like may occur.
        has_wear: scratches, dust, water marks, bands and other traces of handling may occur.
        recorder_seed: film system or detector are drawn from it, the same for every radiograph, as where one
            procedure holds; None draws them from the seed of the radiograph.

    Raises:
        ConfigurationError: when a setting is out of range; names the setting.
    """

    height_px: int = 700
    width_px: int = 2400
    mm_per_px: tuple[float, float] = (0.036, 0.075)
    plate_mm: tuple[float, float] = (6.0, 30.0)
    polarities: tuple[Polarity, ...] = (Polarity.FILM,)
    bit_depths: tuple[int, ...] = (12, 14, 16)
    mix: Mapping[FlawKind, float] = field(default_factory=lambda: MappingProxyType(dict(DEFAULT_MIX)))
    flaw_groups: float = 6.0
    min_groups: int = 1
    has_furniture: bool = True
    has_wear: bool = True
    recorder_seed: int | None = None

    def __post_init__(self) -> None:
        checks = {
            "height_px": 64 <= self.height_px <= 10_000,
            "width_px": 64 <= self.width_px <= 20_000,
            "mm_per_px": 0.01 <= self.mm_per_px[0] <= self.mm_per_px[1] <= 0.5,
            "plate_mm": 1.0 <= self.plate_mm[0] <= self.plate_mm[1] <= 100.0,
            "polarities": bool(self.polarities) and Polarity.UNKNOWN not in self.polarities,
            "bit_depths": bool(self.bit_depths) and all(8 <= bits <= 16 for bits in self.bit_depths),
            "mix": all(weight >= 0 for weight in self.mix.values()),
            "flaw_groups": 0 <= self.flaw_groups <= 100,
            "min_groups": 0 <= self.min_groups <= 100,
        }
        wrong = [name for name, is_right in checks.items() if not is_right]
        if wrong:
            raise ConfigurationError(f"simulation setting out of range: {', '.join(wrong)}")
        if self.flaw_groups > 0 and not sum(self.mix.values()) > 0:
            raise ConfigurationError("simulation setting mix: no kind of flaw has a positive weight")
