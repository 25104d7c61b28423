"""The plan of an import as rows of the table and in words."""

from collections.abc import Sequence

from app.label.importing.state import IMPORT
from app.shared.components.record_table.record_table import Cell, RecordRow
from core.domain.kinds import WORD_KINDS
from core.domain.own_classes import OwnClass
from core.labelling.class_mapping import LEAVE_OUT
from core.labelling.import_plan import ImportPlan, Outcome, PlannedImage
from core.labelling.labelled import CLASS_NAMES
from core.services.labels.label_imports import Imported
from core.standards.kinds import KINDS

COLUMNS = ("Image", "What happens", "Labels now", "Labels then", "Remarks")
#: Rows on show; those that need a look come first.
MOST_ROWS = 300
_MOST_REMARKS = 4
_FIRST = (Outcome.LEFT_OUT, Outcome.CHANGED, Outcome.ADDED, Outcome.SAME)
_MARKS = {Outcome.LEFT_OUT: "reject", Outcome.CHANGED: "refer", Outcome.ADDED: "accept", Outcome.SAME: ""}


def rows(plan: ImportPlan) -> list[RecordRow]:
    """A row for each entry of the file, those that are left out first, then those with boxes not taken."""
    numbered = sorted(
        enumerate(plan.images), key=lambda one: (_FIRST.index(one[1].outcome), not one[1].refused, one[0])
    )
    return [_row(number, image) for number, image in numbered[:MOST_ROWS]]


def counts_words(plan: ImportPlan) -> str:
    """What the plan does, in one line."""
    parts = [f"{plan.form.words}: {_counted(len(plan.images), 'image')}"]
    if plan.open_classes:
        parts.append("with what is said so far")
    parts += [
        f"{plan.count(outcome):,} {words}"
        for outcome, words in (
            (Outcome.ADDED, "get their first labels"),
            (Outcome.CHANGED, "get other labels"),
            (Outcome.SAME, "stay the same"),
            (Outcome.LEFT_OUT, "left out"),
        )
        if plan.count(outcome)
    ]
    parts.append(_counted(plan.n_boxes, "box", "boxes"))
    if plan.n_refused:
        parts.append(f"{plan.n_refused:,} more things not taken")
    if plan.new_images:
        parts.append(f"{_counted(len(plan.new_images), 'new image')} come with the file")
    if empty := sum(one.outcome.is_kept and not one.labels for one in plan.images):
        parts.append(f"{empty:,} without a box count as looked at, nothing found")
    return " · ".join(parts)


def done_words(done: Imported, name: str) -> str:
    """What an import did."""
    came = f", {_counted(done.n_new_images, 'new image')}" if done.n_new_images else ""
    left = f", {done.n_left_out:,} left out" if done.n_left_out else ""
    return (
        f"Imported {name}: {_counted(done.n_images, 'image')} changed, {done.n_same:,} unchanged, "
        f"{_counted(done.n_boxes, 'box', 'boxes')}{came}{left}."
    )


def targets(own: Sequence[OwnClass]) -> dict[str, str]:
    """What a class of a file may become, with its words, in the order in which it is offered."""
    words = {one.kind_id: one for one in WORD_KINDS.values() if one.is_imperfection}
    return {
        **{name: name for name in CLASS_NAMES},
        **{one.code: f"{one.name} ({one.code})" for one in own},
        **{kind: f"{one.name} (casting)" for kind, one in words.items() if kind not in CLASS_NAMES},
        **{number: f"{name} ({number})" for number, name in KINDS.items()},
        LEAVE_OUT: "leave these boxes out",
    }


def _row(number: int, image: PlannedImage) -> RecordRow:
    then = f"{len(image.labels)}" if image.labels else "none: nothing found"
    remarks = [image.why] if image.why else [*image.refused, *image.notes]
    more = len(remarks) - _MOST_REMARKS
    told = "; ".join(remarks[:_MOST_REMARKS]) + (f"; and {more} more" if more > 0 else "")
    return RecordRow(
        key=str(number),
        address=f"?{IMPORT}=1",
        label=image.name,
        thumbnail=None,
        cells=(
            Cell(image.image.name if image.image else image.name, more=_said(image)),
            Cell(str(image.outcome), mark=_MARKS[image.outcome]),
            Cell("-" if image.n_before is None else str(image.n_before)),
            Cell(then if image.outcome.is_kept else "-"),
            Cell(told, is_long=True),
        ),
    )


def _said(image: PlannedImage) -> str:
    """The place in the file, and its own name for the image where that is another."""
    is_other = image.image is not None and image.image.name != image.name
    new = "comes with the file, " if image.is_new else ""
    return f"{new}{image.name} in {image.place}" if is_other else f"{new}{image.place}"


def _counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
