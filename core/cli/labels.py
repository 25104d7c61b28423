"""`radikal labels`: the labels of the store as files of other tools, and back."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.cli.conventions import counted, one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import BadInputError, UnknownUserError

if TYPE_CHECKING:
    from core.container import Container
    from core.labelling.import_plan import ImportPlan, PlannedImage

_FORMATS = click.Choice(["coco", "yolo", "voc", "cvat", "label-studio", "labelme", "datumaro"])


@click.group()
def labels() -> None:
    """Labels: export them for other tools, import what other tools made."""


@labels.command("export")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", required=True, type=_FORMATS, help="How labels are written.")
@click.option("--images", is_flag=True, help="Put the originals in, too, byte for byte.")
@one_line_errors
def export(path: Path, form: str, images: bool) -> None:
    """Write a ZIP file of all labels to PATH, in place of one that is there.

    COCO, VOC, CVAT and LabelMe come back exactly; Label Studio and Datumaro within 1e-9 px; YOLO, too, but it
    keeps no ISO 6520-1 numbers.
    """
    from core.labelling.entries import LabelFormat

    with open_services(newest=True) as services:
        files = services.workspace.label_files
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as target:
            try:
                done = files.export(COMMAND_LINE, target, LabelFormat(form), with_images=images)
            except BaseException:
                os.unlink(target.name)  # noqa: PTH108 - a name, not a path
                raise
        Path(target.name).replace(path)
    click.echo(f"{done.n_images} images, {done.n_boxes} boxes, {done.n_originals} originals: {path}")


@labels.command("import")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--format", "form", type=_FORMATS, help="How labels are written; told from the content if left out."
)
@click.option("--author", help="Account that the labels are by; may be left out where only one may label.")
@click.option("--map", "said", multiple=True, metavar="NAME=CLASS",
              help="What a class of the file is here, or leave-out. May be repeated.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--with-images/--labels-only", default=True, show_default=True,
              help="Bring in images that lie in the ZIP file beside the labels.")  # fmt: skip
@click.option("--skip-empty", is_flag=True,
              help="Leave out images without a box, which count as looked at and found clean.")  # fmt: skip
@click.option("--voc-origin", type=click.Choice(["1", "0"]), default="1", show_default=True,
              help="Number of the first pixel in VOC files.")  # fmt: skip
@one_line_errors
def import_(
    path: Path,
    form: str | None,
    author: str | None,
    said: Sequence[str],
    dry_run: bool,
    with_images: bool,
    skip_empty: bool,
    voc_origin: str,
) -> None:
    """Take over the labels in PATH, a ZIP archive or a file of COCO, CVAT, Label Studio, LabelMe or Datumaro.

    First it says what each image gets; then all of that is stored, or nothing. Labels become the next version
    of an image's labels; earlier ones stay. What is not taken is told on stderr, line by line. Exit code 2
    when nothing can be taken, also because a class of the file is not known here and was not mapped.
    """
    from core.labelling.entries import LabelFormat
    from core.services.labels.label_imports import ImportOptions, open_words

    options = ImportOptions(
        form=LabelFormat(form) if form else None,
        mapping=dict(_pair(one) for one in said),
        voc_origin=int(voc_origin),
        takes_images=with_images,
        takes_empty=not skip_empty,
    )
    with open_services(newest=True) as services, path.open("rb") as source:
        imports = services.workspace.label_imports
        identity = COMMAND_LINE if dry_run and not author else _author(services, author)
        plan = imports.plan(identity, source, path.name, options)
        _print_plan(plan)
        if plan.open_classes:
            one = plan.open_classes[0].name
            raise BadInputError(f"{open_words(plan)}; for example --map {_quoted(one)}=porosity")
        if plan.is_empty:
            raise BadInputError(f"{path.name}: nothing of it can be taken; nothing was stored")
        if dry_run:
            click.echo("nothing was stored: this was a dry run")
            return
        done = imports.apply(identity, source, path.name, plan)
    came = f", {done.n_new_images} images came with the file" if done.n_new_images else ""
    click.echo(f"{done.n_images} images changed, {done.n_same} were the same, {done.n_boxes} boxes; "
               f"not taken: {done.n_left_out + plan.n_refused}{came}")  # fmt: skip


def _pair(said: str) -> tuple[str, str]:
    name, sign, target = said.rpartition("=")
    if not sign or not name.strip() or not target.strip():
        raise BadInputError(f"--map {said}: expected NAME=CLASS, such as shrinkage=porosity")
    return name, target.strip()


def _quoted(name: str) -> str:
    return name if name.isalnum() else f"'{name}'"


def _author(services: "Container", author: str | None) -> Identity:
    """The account that labels, or the only one that may.

    Raises:
        UnknownUserError: there is no such active account.
        BadInputError: several may label, or none.
    """
    from core.domain.permissions import Action, may

    with services.store.read() as work:
        active = [user for user in work.users.all() if user.is_active and user.name]
    if author is None:
        found = [user for user in active if may(user.role, Action.ANNOTATIONS_SAVE)]
        if len(found) != 1:
            listed = ", ".join(str(user.name) for user in found) or "none yet"
            raise BadInputError(f"say with --author whose labels they are; accounts that may label: {listed}")
    else:
        found = [user for user in active if user.name == author.casefold()]
    if not found:
        raise UnknownUserError(f"there is no active account {author!r}")
    return Identity(found[0].user_id, found[0].shown_name, found[0].role)


def _print_plan(plan: "ImportPlan") -> None:
    """What would be done on stdout, what is not taken on stderr."""
    click.echo(f"{plan.form.words}: {counted(len(plan.images), 'image')} with labels"
               + (f", {counted(len(plan.new_images), 'new image')}" if plan.new_images else ""))  # fmt: skip
    for one in plan.classes:
        target = "?" if one.is_open else "left out" if one.target is None else one.target.words
        click.echo(f"  class {one.name}: {counted(one.n_boxes, 'box', 'boxes')}, {target}")
    for image in plan.images:
        _print_image(image)
    for line in plan.notes:
        click.echo(f"  {line}")
    for line in plan.refused:
        click.echo(f"not taken: {line}", err=True)


def _print_image(image: "PlannedImage") -> None:
    if not image.outcome.is_kept:
        click.echo(f"left out: {image.name} ({image.place}): {image.why}", err=True)
    else:
        boxes = (
            counted(len(image.labels), "box", "boxes") if image.labels else "no box: looked at, nothing found"
        )
        before = "" if image.n_before is None else f", {image.n_before} before"
        new = ", image comes with the file" if image.is_new else ""
        click.echo(f"  {image.name}: {image.outcome}: {boxes}{before}{new}")
    for line in image.notes:
        click.echo(f"    {line}")
    for line in image.refused:
        click.echo(f"not taken: {image.name}: {line}", err=True)
