"""Searching the history of inspections: every filter is answered from one narrow index.

What the model reported on an image that nobody opened is no history.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from core.domain.indication import IndicationClass
from core.domain.override import Override, override_from
from core.domain.reading import Call
from core.domain.records import Disposition, InspectionState, ReshootReason
from core.store.record_tables import InspectionRow

#: Longest text that is searched; fits part, weld number and image name.
LONGEST_WORDS = 520
_LONGEST_FOUND = 255
_OPEN = "not assessed"


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Filter for inspections; None and "" leave a condition out.

    Attributes:
        text: words that all occur in part, weld number or image name, in any letter case.
        since: earliest moment they were made, UTC.
        until: first moment that is left out, UTC.
        indication_class: of at least one indication that nobody dismissed.
        is_undecided: True for those without a disposition, False for those with one.
        model_name, model_version: what ran.
        inspector_id: who asked for it.
    """

    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    indication_class: IndicationClass | None = None
    disposition: Disposition | None = None
    is_undecided: bool | None = None
    state: InspectionState | None = None
    model_name: str | None = None
    model_version: int | None = None
    inspector_id: str | None = None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the history.

    Attributes:
        created_at: UTC.
        found: how many indications of each class nobody dismissed.
        n_open: how many of them nobody assessed.
        standard, quality_level: the rule that the setup names.
    """

    inspection_id: str
    created_at: datetime
    image_sha256: str
    image_name: str
    part: str
    weld_number: str
    found: Mapping[IndicationClass, int] = field(hash=False)
    disposition: Disposition | None
    state: InspectionState
    standard: str | None
    quality_level: str | None
    model_name: str
    model_version: int
    inspector_id: str | None
    revision_of: str | None
    reshoot_reason: ReshootReason | None = None
    override: Override | None = None
    n_open: int = 0

    @property
    def place(self) -> tuple[datetime, str]:
        """Place of this line in the order, for the beginning of the next page."""
        return self.created_at, self.inspection_id


class InspectionHistory:
    """Looks into `inspections` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(
        self, wanted: HistoryFilter, limit: int, *, before: tuple[datetime, str] | None = None
    ) -> list[HistoryEntry]:
        """At most `limit` inspections, newest first.

        Args:
            wanted: the filters.
            limit: how many.
            before: `place` of the last one of the page before.
        """
        query = select(InspectionRow.inspection_id).where(*_conditions(wanted))
        if before is not None:
            query = query.where(tuple_(InspectionRow.created_at, InspectionRow.inspection_id) < before)
        newest_first = (InspectionRow.created_at.desc(), InspectionRow.inspection_id.desc())
        ids = list(self._session.scalars(query.order_by(*newest_first).limit(limit)))
        rows = self._session.execute(_ENTRIES.where(InspectionRow.inspection_id.in_(ids)))
        entries = {row.inspection_id: _entry(row) for row in rows}
        return [entries[one] for one in ids]

    def count(self, wanted: HistoryFilter, at_most: int) -> int:
        """Number of inspections, at most `at_most`."""
        some = select(InspectionRow.inspection_id).where(*_conditions(wanted)).limit(at_most)
        return int(self._session.scalar(select(func.count()).select_from(some.subquery())) or 0)

    def inspector_ids(self) -> list[str]:
        """Everybody who ever had something inspected, by id."""
        query = (
            select(InspectionRow.inspector_id)
            .where(InspectionRow.inspector_id.is_not(None), InspectionRow.opened_at.is_not(None))
            .distinct()
        )
        return sorted(one for one in self._session.scalars(query) if one is not None)

    def models(self) -> list[tuple[str, int]]:
        """Every model version whose reading somebody opened, by name and number."""
        row = InspectionRow
        query = select(row.model_name, row.model_version).where(row.opened_at.is_not(None)).distinct()
        return sorted((name, version) for name, version in self._session.execute(query))

    def readers(self, inspector_id: str, images: Collection[str]) -> dict[tuple[str, str], int]:
        """Version of each model that read each image last for this person, by image and model name."""
        row = InspectionRow
        query = (
            select(row.image_sha256, row.model_name, row.model_version)
            .where(row.inspector_id == inspector_id, row.image_sha256.in_(images))
            .order_by(row.created_at, row.inspection_id)
        )
        return {(image, name): version for image, name, version in self._session.execute(query)}

    def moments_of_image(self, image_sha256: str, *, before: datetime | None = None) -> list[datetime]:
        """When this image was inspected, corrections left out, oldest first; only what was `before` then."""
        query = select(InspectionRow.created_at).where(
            InspectionRow.image_sha256 == image_sha256,
            InspectionRow.revision_of.is_(None),
            InspectionRow.opened_at.is_not(None),
        )
        if before is not None:
            query = query.where(InspectionRow.created_at < before)
        return list(self._session.scalars(query.order_by(InspectionRow.created_at)))


def search_words(setup: Mapping[str, Any], image_name: str) -> str:
    """Text that a search looks through: part, weld number and image name, case folded, one line each."""
    texts = (str(setup.get("part") or ""), str(setup.get("weld_number") or ""), image_name)
    return "\n".join(texts).casefold()[:LONGEST_WORDS]


def found_text(boxes: Iterable[Mapping[str, Any]]) -> str:
    """Counts of classes in `boxes` that nobody dismissed, such as `|not assessed=3|crack=1|porosity=4`.

    A group counts as one. Those that nobody assessed are counted in their class, too.
    """
    kept = [box for box in boxes if box.get("call") != "dismissed" and not box.get("group")]
    counts = Counter(str(box["class"]) for box in kept)
    n_open = sum(box.get("call", Call.OPEN) == Call.OPEN for box in kept)
    told = [f"|{_OPEN}={n_open}"] if n_open else []
    return "".join([*told, *(f"|{name}={counts[name]}" for name in sorted(counts))])[:_LONGEST_FOUND]


_ENTRIES = select(
    InspectionRow.inspection_id,
    InspectionRow.created_at,
    InspectionRow.image_sha256,
    InspectionRow.image_name,
    InspectionRow.setup,
    InspectionRow.found,
    InspectionRow.disposition,
    InspectionRow.state,
    InspectionRow.model_name,
    InspectionRow.model_version,
    InspectionRow.inspector_id,
    InspectionRow.revision_of,
    InspectionRow.reshoot_reason,
    InspectionRow.override,
)


def _conditions(wanted: HistoryFilter) -> list[ColumnElement[bool]]:
    """The filters as SQL.

    State and inspector have an index of their own, through which SQLite would read and sort whole rows; as
    expressions they are looked up in the index of the history.
    """
    row = InspectionRow
    equal = (
        (row.state.concat(""), wanted.state and wanted.state.value),
        (row.model_name, wanted.model_name),
        (row.model_version, wanted.model_version),
        (row.inspector_id.concat(""), wanted.inspector_id),
    )
    conditions: list[ColumnElement[bool]] = [row.opened_at.is_not(None)]
    conditions += [column == value for column, value in equal if value is not None]
    if wanted.disposition is not None:
        names = [one.value for one in Disposition if one.word == wanted.disposition.word]
        conditions.append(row.disposition.in_(names))
    conditions += [row.search_text.contains(word, autoescape=True) for word in wanted.text.casefold().split()]
    if wanted.since is not None:
        conditions.append(row.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.created_at < wanted.until)
    if wanted.indication_class is not None:
        conditions.append(row.found.contains(f"|{wanted.indication_class.value}="))
    if wanted.is_undecided is not None:
        conditions.append(row.disposition.is_(None) if wanted.is_undecided else row.disposition.is_not(None))
    return conditions


def _entry(row: Any) -> HistoryEntry:
    counts = dict(one.split("=") for one in row.found.split("|") if "=" in one)
    n_open = int(counts.pop(_OPEN, 0))
    return HistoryEntry(
        inspection_id=row.inspection_id,
        created_at=row.created_at,
        image_sha256=row.image_sha256,
        image_name=row.image_name,
        part=str(row.setup.get("part") or ""),
        weld_number=str(row.setup.get("weld_number") or ""),
        found={IndicationClass(name): int(count) for name, count in counts.items()},
        n_open=n_open,
        disposition=Disposition(row.disposition) if row.disposition else None,
        state=InspectionState(row.state),
        standard=row.setup.get("standard"),
        quality_level=row.setup.get("quality_level"),
        model_name=row.model_name,
        model_version=row.model_version,
        inspector_id=row.inspector_id,
        revision_of=row.revision_of,
        reshoot_reason=ReshootReason(row.reshoot_reason) if row.reshoot_reason else None,
        override=override_from(row.override) if row.override else None,
    )
