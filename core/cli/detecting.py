"""`radikal detect`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.batch import Failures, incoming
from core.cli.conventions import (
    ALIAS,
    BAD_INPUT,
    FAILED,
    MODEL,
    POLARITY,
    VERSION,
    one_line_errors,
    open_services,
)
from core.domain.errors import BadInputError
from core.domain.familiarity import NOT_VERIFIED
from core.domain.serving import CHAMPION

if TYPE_CHECKING:
    from core.container import Container
    from core.domain.polarity import PolarityDecision
    from core.domain.radiograph import Polarity, Radiograph
    from core.imaging.uploads import IncomingFile


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@MODEL
@VERSION
@ALIAS
@click.option("--min-score", type=click.FloatRange(0, 1), help="Lowest raw score; default: the score cut.")
@POLARITY
@click.option("--explain", type=click.Path(path_type=Path), help="Folder for one heat map PNG a box.")
@click.option("--json", "json_path", type=click.Path(), help="File for the result, - for standard output.")
@one_line_errors
def detect(
    paths: Sequence[Path],
    model: str,
    version: int | None,
    alias: str,
    min_score: float | None,
    polarity: str,
    explain: Path | None,
    json_path: str | None,
) -> None:
    """Report the indications in radiographs, with calibrated probabilities.

    PATHS are files, ZIP archives and folders. Of a folder everything that is a radiograph or is named like
    one is read, in its folders too; the rest is named on stderr. A file of an archive is ARCHIVE/FILE.

    A file of several pictures (frames of DICOM, pages of TIFF, slices of ImageJ, planes of OME or of a NumPy
    array) gives one result each: "image" then also holds "frame", from 1, in a TIFF "page" as well.
    The sha256 is always that of the file. What else a file holds, such as reduced copies, is not read, and
    "not_read" says so.

    A part that looks unlike those which taught the model is read by the model for parts that nobody taught,
    where one serves (casting-any beside casting); the result names it, and "picked" says why. With --version,
    another --alias or --model casting-any every image is read by what was asked for. Where an image looks
    unlike those that calibrated the version, "familiarity" says so: no probability is verified for this kind
    of image then.

    A polarity that nobody states is estimated from the image. Where the image does not tell, or tells
    another than the model's, it is taken as the model's, and stderr warns.

    A file that fails is named on stderr, and the others are still done and written; the exit code is then 1,
    or 2 where nothing could be read at all.
    """
    from core.reports.detection_json import detection_to_dict

    results: list[dict[str, Any]] = []
    failures = Failures()
    chosen: dict[str, Any] = {"model": model, "version": version, "alias": alias}
    with open_services() as services:
        resolved, folder = services.registry.resolve(model, version=version, alias=alias)
        services.detect.detector_for(resolved, folder)  # a wrong or damaged model fails before any image
        for path, file in incoming(paths, failures):
            with failures.told(file.name):
                radiograph = _read(services, file, polarity, resolved.polarity, chosen)
                reader, picked = _reader(services, radiograph, chosen)
                result = services.detect.detect(radiograph, file.name, min_score=min_score, **reader)
                results.append(detection_to_dict(result, path) | picked)
                if explain is not None:
                    _write_maps(services, result, Path(file.name).stem, explain)
    _report(results, json_path)
    if not (results or failures.n_failed or failures.n_refused):
        raise BadInputError("expected radiographs, got none")
    if failures.n_failed or (failures.n_refused and results):
        sys.exit(FAILED)
    if failures.n_refused:
        sys.exit(BAD_INPUT)


def _reader(
    services: "Container", radiograph: "Radiograph", chosen: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What reads the radiograph, as `chosen`; and why, where another model does than the one asked for."""
    if chosen["version"] is not None or chosen["alias"] != CHAMPION:
        return chosen, {}
    pick = services.picking.pick(radiograph, model=chosen["model"])
    reader = chosen | {"model": pick.model, "version": pick.version}
    return reader, {"picked": pick.words} if pick.words else {}


def _read(
    services: Any, file: "IncomingFile", polarity: str, assumed: "Polarity", chosen: dict[str, Any]
) -> "Radiograph":
    """The radiograph in the polarity that it is read in; stderr warns where that is doubtful."""
    from core.domain.radiograph import Polarity
    from core.imaging.read import read_radiograph

    radiograph = read_radiograph(file.read(), file.name, polarity=Polarity(polarity), frame=file.frame)
    decision = services.detect.polarity_of(radiograph, **chosen)
    _warn_of_polarity(file.name, decision, assumed)
    return radiograph if decision.is_asked else decision.applied(radiograph)


def _report(results: list[dict[str, Any]], json_path: str | None) -> None:
    """Write the JSON where it was asked for, and the table unless both would go to standard output."""
    if json_path == "-":
        click.echo(json.dumps(results, indent=1))
        return
    if json_path is not None:  # first, so that a closed pipe loses nothing
        Path(json_path).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for entry in results:
        _print_detections(entry)


def _warn_of_polarity(name: str, decision: "PolarityDecision", assumed: "Polarity") -> None:
    """Tell on stderr what the picture has against the polarity that it is read in."""
    warning = decision.warning
    if decision.is_asked:
        warning = f"polarity not stated, taken as {assumed}. {decision.estimate.told}. State it: --polarity"
    if warning:
        click.echo(f"radikal: {name}: {warning}", err=True)


def _print_detections(result: dict[str, Any]) -> None:
    from core.domain.flaw_group import claim_from, is_reported

    model = result["model"]
    shown = [d for d in result["detections"] if is_reported(d, result["operating_probability"])]
    image = result["image"]
    part = "page" if "page" in image else "frame"
    frame = f" {part} {image['frame']}" if "frame" in image else ""
    click.echo(
        f"{image['path']}{frame}: {len(shown)} indications at probability "
        f"{result['operating_probability']:.2f} and above ({model['name']} v{model['version']}, "
        f"{len(result['detections'])} candidates, {result['elapsed_ms']:.0f} ms)"
    )
    is_strange = not result.get("familiarity", {}).get("is_familiar", True)
    for line in image.get("not_read", ()):
        click.echo(f"  Also in the file: {line}")
    for line in (result.get("picked"), NOT_VERIFIED if is_strange else None):
        if line:
            click.echo(f"  {line[0].upper()}{line[1:]}")
    for number, found in enumerate(shown, 1):
        x1, y1, x2, y2 = found["bbox"]
        box = f"[{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}]"
        probability = f"p {found['probability']:.2f}{' ?' if is_strange else ''}"
        claim = claim_from(found)
        words = claim.words if claim else found["class"]
        click.echo(f"  {number:3d}  {words:<20} {probability}  {box}")


def _write_maps(services: Any, result: Any, stem: str, folder: Path) -> None:
    """One PNG a box that the operating probability reports: the radiograph, that box and its map."""
    from core.reports.annotated_png import annotated_png

    folder.mkdir(parents=True, exist_ok=True)
    threshold = result.model.calibration.operating_probability
    for index in result.detections.reported(threshold):
        heat_map = services.explain.explain(result, index)
        picture = annotated_png(result, threshold=threshold, heat_map=heat_map)
        target = folder / f"{stem}_box{index + 1}.png"
        target.write_bytes(picture)
        note = " (empty map: nothing raised this score)" if heat_map.is_empty else ""
        click.echo(f"  {target}{note}", err=True)
