"""`radikal labels`: the labels of the store as files of other tools, and back."""

import os
import tempfile
from pathlib import Path

import click

from core.cli.conventions import one_line_errors, open_services
from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.errors import UnknownUserError

_FORMAT = click.option(
    "--format",
    "form",
    required=True,
    type=click.Choice(["coco", "yolo", "voc"]),
    help="How labels are written.",
)


@click.group()
def labels() -> None:
    """Labels: export them for other tools, import what other tools made."""


@labels.command("export")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@_FORMAT
@click.option("--images", is_flag=True, help="Put the originals in, too, byte for byte.")
@one_line_errors
def export(path: Path, form: str, images: bool) -> None:
    """Write a ZIP file of all labels to PATH, in place of one that is there.

    COCO and VOC come back exactly; YOLO keeps no ISO 6520-1 numbers and moves an edge by less than 1e-9 px.
    """
    from core.services.labels.label_files import LabelFormat

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
@_FORMAT
@click.option("--author", required=True, help="Account that the labels are by; it must be allowed to label.")
@click.option("--voc-origin", type=click.Choice(["1", "0"]), default="1", show_default=True,
              help="Number of the first pixel in VOC files.")  # fmt: skip
@one_line_errors
def import_(path: Path, form: str, author: str, voc_origin: str) -> None:
    """Take over the labels in PATH, a ZIP file or a COCO file, for images that are here already.

    They become the next version of an image's labels; earlier ones stay. What is not taken is told, line by
    line.
    """
    from core.services.labels.label_files import LabelFormat

    with open_services(newest=True) as services, path.open("rb") as source:
        with services.store.read() as work:
            user = next((one for one in work.users.all() if one.name == author.casefold()), None)
        if user is None or not user.is_active:
            raise UnknownUserError(f"there is no active account {author!r}")
        identity = Identity(user.user_id, user.shown_name, user.role)
        files = services.workspace.label_files
        done = files.import_(identity, source, path.name, LabelFormat(form), voc_origin=int(voc_origin))
    for problem in done.problems:
        click.echo(problem, err=True)
    click.echo(f"{done.n_images} images changed, {done.n_same} were the same, {done.n_boxes} boxes; "
               f"not taken: {len(done.problems)}")  # fmt: skip
