"""Certificate for routing by a model version: the parts that support it and the thresholds they allow."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from core.calibrate.routing import Assurance, Route, RoutingThreshold, accept_limit, reject_limit, route_by
from core.domain.errors import BadInputError

#: Of the JSON; raised when a key changes its meaning.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class PartScore:
    """One part with the score of the image that is hardest on the model.

    Attributes:
        name: of the part: its series, film or, where nothing else is known, its image.
        is_defective: an indication is recorded on it; otherwise it is known to be clean.
        n_images: images that were looked at: of a defective part those with a recorded indication.
        score: the lowest of a defective part's images, the highest of a clean part's.

    Raises:
        BadInputError: no image, or a score outside of 0..1.
    """

    name: str
    is_defective: bool
    n_images: int
    score: float

    def __post_init__(self) -> None:
        if self.n_images < 1 or not 0.0 <= self.score <= 1.0:
            raise BadInputError(f"part {self.name}: {self.n_images} images and score {self.score}")


@dataclass(frozen=True, slots=True)
class CertifiedSubject:
    """Subject of a certificate: one set of weights with one calibration on one set of images.

    Attributes:
        model, version: as registered; the digest below is what counts.
        model_sha256: of the weights.
        calibration_id: of the calibration.
        operating_probability: no threshold to accept lies above it, none to reject below it.
        set_sha256: digest of the parts' images and what is recorded on them.
        device: that it ran on.
    """

    model: str
    version: int
    model_sha256: str
    calibration_id: str
    operating_probability: float
    set_sha256: str
    device: str


@dataclass(frozen=True, slots=True)
class RoutingCertificate:
    """The answer to "what may be accepted without a look?", with all it rests on; `certify` makes it.

    Attributes:
        subject: what is certified.
        level: risk and confidence that the user set.
        parts: every part that was judged, by name.
        left_out: one line each: parts that trained or calibrated the version.
        unchecked: one line each: what could not be found out.
        made_at: when, with its time zone.
        accept: the threshold below which images may be accepted, or why there is none.
        reject: the threshold from which images may be rejected with a bound, or why there is none.
    """

    subject: CertifiedSubject
    level: Assurance
    parts: tuple[PartScore, ...]
    left_out: tuple[str, ...]
    unchecked: tuple[str, ...]
    made_at: datetime
    accept: RoutingThreshold
    reject: RoutingThreshold

    @property
    def is_certified(self) -> bool:
        """True when images may be accepted; otherwise every one goes to review."""
        return self.accept.is_certified

    @property
    def reject_from(self) -> float:
        """The bounded threshold; without one the operating probability, which bounds nothing."""
        return self.subject.operating_probability if self.reject.threshold is None else self.reject.threshold

    @property
    def key(self) -> str:
        """16 hex digits that model, calibration, set, risk and confidence give."""
        about = (self.subject.model_sha256, self.subject.calibration_id, self.subject.set_sha256)
        text = "|".join([*about, repr(self.level.risk), repr(self.level.confidence)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def route(self, score: float) -> Route:
        """The route of an image of this score; review when nothing is certified."""
        if self.accept.threshold is None:
            return Route.REVIEW
        return route_by(score, accept_below=self.accept.threshold, reject_from=self.reject_from)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `certificate_from` reads it back."""
        return {
            "format": FORMAT,
            "key": self.key,
            "answer": "certified" if self.is_certified else "cannot certify",
            **asdict(self.subject),
            **asdict(self.level),
            "accept": asdict(self.accept),
            "reject": {**asdict(self.reject), "reject_from": self.reject_from},
            "left_out": list(self.left_out),
            "unchecked": list(self.unchecked),
            "made_at": self.made_at.isoformat(),
            "parts": [asdict(part) for part in self.parts],
        }


def certify(
    subject: CertifiedSubject,
    level: Assurance,
    parts: Sequence[PartScore],
    *,
    made_at: datetime,
    left_out: Sequence[str] = (),
    unchecked: Sequence[str] = (),
) -> RoutingCertificate:
    """The certificate that `parts` allow: `accept_limit` of the defective, `reject_limit` of the clean ones.

    Raises:
        BadInputError: a part stands there twice.
    """
    if len({part.name for part in parts}) < len(parts):
        raise BadInputError("a part stands twice among those that a routing certificate rests on")
    defective = np.array([part.score for part in parts if part.is_defective], np.float64)
    clean = np.array([part.score for part in parts if not part.is_defective], np.float64)
    middle = subject.operating_probability
    return RoutingCertificate(
        subject=subject,
        level=level,
        parts=tuple(parts),
        left_out=tuple(left_out),
        unchecked=tuple(unchecked),
        made_at=made_at,
        accept=accept_limit(defective, level, highest=middle),
        reject=reject_limit(clean, level, lowest=middle),
    )


def certificate_from(content: object) -> RoutingCertificate:
    """The certificate that `to_dict` wrote; its thresholds are worked out again from its parts.

    Raises:
        BadInputError: a key is missing or of another kind, or the thresholds are not those of its parts.
    """
    try:
        certificate = _read(content)
        written, stated = certificate.to_dict(), dict(content)  # type: ignore[call-overload]  # _read checked it
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(f"not a routing certificate: {type(error).__name__} {error}") from error
    differing = [key for key in written if not _is_same(written[key], stated.get(key))]
    if differing:
        raise BadInputError(f"the routing certificate contradicts itself: {', '.join(differing)}")
    return certificate


def _read(content: object) -> RoutingCertificate:
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise ValueError(f"expected a mapping with format {FORMAT}")
    made_at = datetime.fromisoformat(content["made_at"])
    if made_at.tzinfo is None:
        raise ValueError("made_at has no time zone")
    return certify(
        subject=CertifiedSubject(
            model=str(content["model"]),
            version=int(content["version"]),
            model_sha256=str(content["model_sha256"]),
            calibration_id=str(content["calibration_id"]),
            operating_probability=float(content["operating_probability"]),
            set_sha256=str(content["set_sha256"]),
            device=str(content["device"]),
        ),
        level=Assurance(float(content["risk"]), float(content["confidence"])),
        parts=tuple(_part(entry) for entry in content["parts"]),
        left_out=_lines(content["left_out"]),
        unchecked=_lines(content["unchecked"]),
        made_at=made_at,
    )


def _part(entry: Mapping[str, Any]) -> PartScore:
    is_defective = entry["is_defective"]
    if not isinstance(is_defective, bool):
        raise TypeError(f"is_defective is {is_defective!r}")
    return PartScore(str(entry["name"]), is_defective, int(entry["n_images"]), float(entry["score"]))


def _lines(entries: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(entries, list):
        raise TypeError("expected a list of lines")
    return tuple(str(entry) for entry in entries)


def _is_same(ours: object, stated: object) -> bool:
    """Equal, and numbers to the ninth digit: another SciPy may give another last one."""
    if isinstance(ours, Mapping):
        same_keys = isinstance(stated, Mapping) and ours.keys() == stated.keys()
        return same_keys and all(_is_same(value, stated[key]) for key, value in ours.items())  # type: ignore[index]
    if isinstance(ours, float) and isinstance(stated, int | float):
        return math.isclose(ours, stated, rel_tol=1e-9, abs_tol=1e-12)
    return ours == stated
