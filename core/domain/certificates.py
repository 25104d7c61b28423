"""Certificates of people in radiographic testing: scheme, method, level, number, and until when they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from core.domain.errors import BadInputError

#: A certificate warns its holder when it ends within so many days.
WARN_DAYS = 60
#: Methods that cover radiographs begin with this: RT, and its parts such as RT-D.
RADIOGRAPHIC = "RT"
LEVELS = (1, 2, 3)
#: The lowest level that interprets radiographs without instruction.
INTERPRETING_LEVEL = 2
#: Printed where nobody stated a certificate.
NOT_STATED = "not stated"
_LONGEST_METHOD, _LONGEST_NUMBER = 16, 64


class Scheme(StrEnum):
    """The scheme that a person is certified by."""

    ISO_9712 = "ISO 9712"
    SNT_TC_1A = "SNT-TC-1A"
    NAS_410 = "NAS 410"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of one person.

    Attributes:
        certificate_id: unique.
        method: abbreviated, such as RT.
        level: 1, 2 or 3.
        number: as its issuer wrote it.
        valid_until: the last day on which it holds, counted in UTC.

    Raises:
        BadInputError: method or number is empty, too long or not printable, or there is no such level.
    """

    certificate_id: str
    scheme: Scheme
    method: str
    level: int
    number: str
    valid_until: date

    def __post_init__(self) -> None:
        for name, longest in (("method", _LONGEST_METHOD), ("number", _LONGEST_NUMBER)):
            text = getattr(self, name)
            if text != text.strip() or not 1 <= len(text) <= longest or not text.isprintable():
                raise BadInputError(f"{name} of a certificate: expected 1 to {longest} printable characters")
        if self.level not in LEVELS:
            raise BadInputError(f"level of a certificate: expected 1, 2 or 3, got {self.level}")

    def is_valid(self, on: date) -> bool:
        """True up to its last day, that day included."""
        return on <= self.valid_until

    def days_left(self, on: date) -> int:
        """Days until its last one: 0 on that day, negative after it."""
        return (self.valid_until - on).days

    @property
    def is_radiographic(self) -> bool:
        """True when its method covers radiographs."""
        return self.method.upper().startswith(RADIOGRAPHIC)

    @property
    def words(self) -> str:
        """One line: `ISO 9712 RT level 2, no. 4711, valid until 2027-03-31`."""
        return certificate_words(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, for what is signed and reported."""
        return {
            "scheme": self.scheme.value,
            "method": self.method,
            "level": self.level,
            "number": self.number,
            "valid_until": self.valid_until.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How far somebody is certified for radiographs on one day.

    Attributes:
        valid: the certificate that goes with a signature, None when none holds.
        lapsed: where none holds, the one that ended last; None when there was none.
        days_left: of `valid`, None without it.
        is_required: signing needs a valid one.
    """

    valid: Certificate | None
    lapsed: Certificate | None
    days_left: int | None
    is_required: bool = False

    @property
    def may_sign(self) -> bool:
        """False only where a certificate is required and none of level 2 or 3 is valid."""
        return self.interprets or not self.is_required

    @property
    def interprets(self) -> bool:
        """True when the valid certificate is of a level that interprets radiographs."""
        return self.valid is not None and self.valid.level >= INTERPRETING_LEVEL

    @property
    def fact(self) -> str:
        """What stands under a signature given now, with what its holder should know about it."""
        if told := self.refusal or self.warning:
            return f"{self.valid.words if self.valid else NOT_STATED} ({told.partition(': ')[0]})"
        return self.valid.words if self.valid else NOT_STATED

    @property
    def warning(self) -> str:
        """One line for what ends soon or has ended, empty otherwise."""
        if self.valid is not None and not self.interprets:
            return f"level {self.valid.level} does not interpret radiographs: {self.valid.words}"
        if self.valid is not None and self.days_left is not None and self.days_left <= WARN_DAYS:
            days = "today" if self.days_left == 0 else "in 1 day" if self.days_left == 1 else ""
            return f"your certificate ends {days or f'in {self.days_left} days'}: {self.valid.words}"
        if self.lapsed is not None:
            return f"your certificate ended on {self.lapsed.valid_until.isoformat()}: {self.lapsed.words}"
        return ""

    @property
    def refusal(self) -> str:
        """Why nothing can be signed, empty when it can."""
        if self.may_sign:
            return ""
        if self.valid is not None:
            own = f"yours is level {self.valid.level}"
        elif self.lapsed is not None:
            own = f"yours ended on {self.lapsed.valid_until.isoformat()}"
        else:
            own = "your account has none"
        return f"signing needs a valid RT certificate of level 2 or 3 here, and {own}: ask an administrator"


def day_of(moment: datetime) -> date:
    """The day in UTC."""
    return moment.astimezone(UTC).date()


def standing(certificates: Sequence[Certificate], on: date, *, is_required: bool = False) -> Standing:
    """How far these certificates of one person hold on a day; methods other than RT do not count.

    Of several valid ones the highest level goes with a signature, then the one that is valid for longest.
    """
    known = [one for one in certificates if one.is_radiographic]
    valid = [one for one in known if one.is_valid(on)]
    if valid:
        best = max(valid, key=lambda one: (one.level, one.valid_until, one.certificate_id))
        return Standing(best, None, best.days_left(on), is_required)
    lapsed = max(known, key=lambda one: (one.valid_until, one.level, one.certificate_id), default=None)
    return Standing(None, lapsed, None, is_required)


def certificate_words(content: Mapping[str, Any] | None) -> str:
    """One line for what `Certificate.to_dict` wrote; None was not stated."""
    if content is None:
        return NOT_STATED
    return (
        f"{content['scheme']} {content['method']} level {content['level']}, no. {content['number']}, "
        f"valid until {content['valid_until']}"
    )
