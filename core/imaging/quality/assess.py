"""The image-quality gate: every check on one radiograph, before any verdict is given."""

import numpy as np

from core.domain.radiograph import Polarity, Radiograph
from core.domain.wire_sets import WIRE_DIAMETERS_MM, wires_of_set
from core.imaging.pixels import float_pixels
from core.imaging.quality.grey_values import GreyValues, grey_values
from core.imaging.quality.noise import find_flat_region, signal_to_noise
from core.imaging.quality.report import (
    NOTHING_EARLIER,
    Check,
    CheckKind,
    CheckState,
    EarlierPictures,
    QualityLimits,
    QualityReport,
)
from core.imaging.quality.sharpness import MIN_EDGES, measure_sharpness
from core.imaging.quality.wires import WireIndicator, find_wires

_PASSED, _FAILED, _OPEN = CheckState.PASSED, CheckState.FAILED, CheckState.NOT_EVALUABLE


def assess(
    radiograph: Radiograph,
    *,
    limits: QualityLimits,
    compared: EarlierPictures = NOTHING_EARLIER,
    srb_um: float | None = None,
) -> QualityReport:
    """The report of all checks on the original pixels.

    Args:
        radiograph: to be judged.
        limits: what it has to reach.
        compared: what came of comparing it with the earlier pictures.
        srb_um: basic spatial resolution in micrometres, from a duplex wire indicator; None when not known.
    """
    values = grey_values(radiograph)
    if values is None or values.lowest == values.highest:
        return _blank(values, limits, compared)
    wires = find_wires(radiograph)
    checks = (
        _bit_depth(radiograph, values, limits),
        _clipping(CheckKind.CLIPPING_LOW, values.clipped_low, limits.max_clipped_low, values.lowest),
        _clipping(CheckKind.CLIPPING_HIGH, values.clipped_high, limits.max_clipped_high, values.highest),
        _contrast_span(values, limits),
        _blur(radiograph, limits),
        _noise(radiograph, limits, srb_um),
        _wires(wires, limits),
        _duplicate(compared),
    )
    return QualityReport(checks, limits.id, wires, _copy_of(compared))


def _blank(values: GreyValues | None, limits: QualityLimits, compared: EarlierPictures) -> QualityReport:
    """The report of a picture that shows nothing."""
    what = "no pixel has a value" if values is None else f"every pixel has the grey value {values.lowest:g}"
    checks = []
    for kind in CheckKind:
        if kind is CheckKind.CONTRAST_SPAN:
            sentence = f"The radiograph is blank: {what}."
            checks.append(Check(kind, _FAILED, 0.0, "grey values", limits.min_span, sentence))
        elif kind is CheckKind.DUPLICATE:
            checks.append(_duplicate(compared))
        else:
            checks.append(Check(kind, _OPEN, None, "", None, "Not evaluable: the radiograph is blank."))
    return QualityReport(tuple(checks), limits.id, copy_of=_copy_of(compared))


def _bit_depth(radiograph: Radiograph, values: GreyValues, limits: QualityLimits) -> Check:
    bits = values.effective_bits
    if bits is None:
        reason = (
            "float pixels have no depth" if radiograph.pixels.dtype == np.float32 else "nearly one grey value"
        )
        return Check(
            CheckKind.BIT_DEPTH, _OPEN, None, "bit", limits.min_effective_bits, f"Not evaluable: {reason}."
        )
    is_enough = bits >= limits.min_effective_bits
    sentence = f"{radiograph.bit_depth} bit in the file, {bits:.1f} bit in use"
    sentence += "." if is_enough else ": grey values are missing in between, fine contrast was lost."
    return Check(CheckKind.BIT_DEPTH, _state(is_enough), bits, "bit", limits.min_effective_bits, sentence)


def _clipping(kind: CheckKind, fraction: float, limit: float, at: float) -> Check:
    end = "dark" if kind is CheckKind.CLIPPING_LOW else "bright"
    is_fine = fraction <= limit
    sentence = f"{100 * fraction:.1f} % of the radiograph is cut off at the {end} end (grey value {at:g})"
    sentence += (
        "." if is_fine else ": nothing can be found there; expose or scan again, or mask what is not part."
    )
    return Check(kind, _state(is_fine), 100 * fraction, "%", 100 * limit, sentence)


def _contrast_span(values: GreyValues, limits: QualityLimits) -> Check:
    kind, unit = CheckKind.CONTRAST_SPAN, "grey values"
    if values.span_fraction is None:
        return Check(kind, _OPEN, values.span, unit, None, "Not evaluable: float pixels have no full scale.")
    is_enough = values.span >= limits.min_span
    sentence = (
        f"The radiograph spans {values.span:.0f} grey values, {100 * values.span_fraction:.0f} % of the scale"
    )
    sentence += "." if is_enough else ": too little contrast to be judged."
    return Check(kind, _state(is_enough), values.span, unit, limits.min_span, sentence)


def _blur(radiograph: Radiograph, limits: QualityLimits) -> Check:
    found = measure_sharpness(float_pixels(radiograph))
    if found.blur_px is None:
        sentence = f"Not evaluable: {found.n_edges} edges stand out of the noise, {MIN_EDGES} are needed."
        return Check(CheckKind.BLUR, _OPEN, None, "px", limits.max_blur_px, sentence)
    is_fine = found.blur_px <= limits.max_blur_px
    size = f"{found.blur_px:.1f} px"
    if radiograph.pitch is not None:
        size += f" ({found.blur_px * radiograph.pitch.mm_per_px:.2f} mm)"
    sentence = f"The sharper edges are blurred by {size}"
    sentence += "." if is_fine else ": the radiograph is not sharp; check focus, movement and enlargement."
    return Check(CheckKind.BLUR, _state(is_fine), found.blur_px, "px", limits.max_blur_px, sentence)


def _noise(radiograph: Radiograph, limits: QualityLimits, srb_um: float | None) -> Check:
    kind, limit = CheckKind.NOISE, limits.min_snr
    if radiograph.polarity is Polarity.UNKNOWN:
        sentence = "Not evaluable: without the polarity it is not known which grey value means no dose."
        return Check(kind, _OPEN, None, "SNR", limit, sentence)
    if radiograph.pixels.dtype == np.float32 and radiograph.polarity is Polarity.FILM:
        sentence = "Not evaluable: a film with float pixels has no known density zero."
        return Check(kind, _OPEN, None, "SNR", limit, sentence)
    region = find_flat_region(radiograph)
    if region is None:
        sentence = "Not evaluable: no flat, unclipped place of 20 x 55 px was found."
        return Check(kind, _OPEN, None, "SNR", limit, sentence)
    found = signal_to_noise(radiograph, region, srb_um=srb_um)
    if found.snr_n is not None and limits.min_snr_n is not None:
        figure, unit, limit = found.snr_n, "SNRn", limits.min_snr_n
    else:
        figure, unit = found.snr, "SNR"
    is_enough = figure >= limit
    sentence = f"{found.text}, in a flat place at ({region[0]:.0f}, {region[1]:.0f})"
    sentence += "." if is_enough else ": too noisy, fine indications drown; expose longer or average more."
    return Check(kind, _state(is_enough), figure, unit, limit, sentence)


def _wires(wires: WireIndicator | None, limits: QualityLimits) -> Check:
    kind = CheckKind.WIRES
    required = None if limits.required_wire is None else float(limits.required_wire)
    if wires is None:
        sentence = "Not evaluable: no wire IQI was found, read it by eye."
        return Check(kind, _OPEN, None, "wire number", required, sentence)
    seen = f"{wires.n_visible} wires stand out of the noise"
    if limits.wire_set is None:
        missing = "the set is" if limits.required_wire is not None else "set and required wire are"
        sentence = f"Not evaluable: {missing} not stated in the setup. {seen}; the lettering names the set."
        return Check(kind, _OPEN, None, "wire number", required, sentence)
    first, last = wires_of_set(limits.wire_set)[0], wires_of_set(limits.wire_set)[-1]
    smallest = wires.smallest_visible(limits.wire_set)
    seen += f" of W{first} to W{last}: W{smallest} ({WIRE_DIAMETERS_MM[smallest]:g} mm) is the smallest"
    if limits.required_wire is None:
        sentence = f"Not evaluable: the required wire is not stated in the setup. {seen}."
        return Check(kind, _OPEN, float(smallest), "wire number", None, sentence)
    is_enough = smallest >= limits.required_wire
    needed = f"W{limits.required_wire} ({WIRE_DIAMETERS_MM[limits.required_wire]:g} mm)"
    sentence = f"{seen}; {needed} is required."
    return Check(kind, _state(is_enough), float(smallest), "wire number", required, sentence)


def _duplicate(compared: EarlierPictures) -> Check:
    kind, unit, copy = CheckKind.DUPLICATE, "copies", compared.copy
    if copy is not None:
        name = compared.copy_name or f"an earlier radiograph ({copy.sha256[:12]})"
        sentence = f"The same exposure as {name}, saved again with other bytes: inspect the earlier one."
        return Check(kind, _FAILED, 1.0, unit, 0.0, sentence)
    sentence = "Not evaluable: there is no earlier radiograph to compare with."
    if compared.n_earlier:
        many = "radiograph" if compared.n_earlier == 1 else "radiographs"
        sentence = f"Not a copy of any of {compared.n_earlier} earlier {many}."
    sentence += _not_compared(compared)
    if compared.again:
        sentence += f" {compared.again}"
    state, figure = (_PASSED, 0.0) if compared.n_earlier else (_OPEN, None)
    return Check(kind, state, figure, unit, 0.0, sentence)


def _not_compared(compared: EarlierPictures) -> str:
    """A sentence on what was not compared, with a space before it; empty when all was."""
    words = [f"{compared.n_without_grain} with too little grain"] if compared.n_without_grain else []
    words += [f"{compared.n_waiting} not read again yet"] if compared.n_waiting else []
    return f" Not compared: {', '.join(words)}." if words else ""


def _copy_of(compared: EarlierPictures) -> str | None:
    return None if compared.copy is None else compared.copy.sha256


def _state(is_fine: bool) -> CheckState:
    return _PASSED if is_fine else _FAILED
