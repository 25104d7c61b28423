"""`radikal detect`."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.conventions import (
    ALIAS,
    BAD_INPUT,
    MODEL,
    POLARITY,
    VERSION,
    one_line_errors,
    open_services,
    show_progress,
)
from core.domain.errors import BadInputError

if TYPE_CHECKING:
    from core.domain.polarity import PolarityDecision
    from core.domain.radiograph import Polarity


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

    A DICOM file of several frames gives one result a frame: "image" then also holds "frame", from 1.
    The sha256 is always that of the file.

    A polarity that nobody states is estimated from the image. Where the image does not tell, or tells
    another than the model's, it is taken as the model's, and stderr warns.

    A file that cannot be read is named on stderr and the others are still done; the exit code is then 2.
    """
    from core.domain.radiograph import Polarity
    from core.imaging.read import read_radiograph
    from core.reports.detection_json import detection_to_dict

    results: list[dict[str, Any]] = []
    refused: list[BadInputError] = []
    with open_services() as services:
        resolved, _ = services.registry.resolve(
            model, version=version, alias=alias
        )  # a wrong model fails before any image
        for path, file in _files(paths, refused):
            try:
                radiograph = read_radiograph(
                    file.read(), file.name, polarity=Polarity(polarity), frame=file.frame
                )
                decision = services.detect.polarity_of(radiograph, model=model, version=version, alias=alias)
                _warn_of_polarity(file.name, decision, resolved.polarity)
                if not decision.is_asked:
                    radiograph = decision.applied(radiograph)
                result = services.detect.detect(
                    radiograph, file.name, model=model, version=version, alias=alias, min_score=min_score
                )
            except BadInputError as error:
                _refuse(error, refused)
                continue
            results.append(detection_to_dict(result, str(path)))
            if explain is not None:
                _write_maps(services, result, Path(file.name).stem, explain)
    if json_path == "-":
        click.echo(json.dumps(results, indent=1))
    else:
        if json_path is not None:  # first, so that a closed pipe loses nothing
            Path(json_path).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        for entry in results:
            _print_detections(entry)
    if refused:
        sys.exit(BAD_INPUT)


def _files(paths: Sequence[Path], refused: list[BadInputError]) -> Iterator[tuple[Path, Any]]:
    """Path and `IncomingFile` of every radiograph."""
    from core.imaging.read import read_file
    from core.imaging.uploads import frames_in

    for n_done, path in enumerate(paths, 1):
        try:
            files = frames_in(read_file(path), path.name)
        except BadInputError as error:
            _refuse(error, refused)
            continue
        for file in files:
            yield path, file
        if sys.stderr.isatty():
            show_progress(n_done, len(paths))


def _warn_of_polarity(name: str, decision: "PolarityDecision", assumed: "Polarity") -> None:
    """Tell on stderr what the picture has against the polarity that it is read in."""
    warning = decision.warning
    if decision.is_asked:
        warning = f"polarity not stated, taken as {assumed}. {decision.estimate.told}. State it: --polarity"
    if warning:
        click.echo(f"radikal: {name}: {warning}", err=True)


def _refuse(error: BadInputError, refused: list[BadInputError]) -> None:
    click.echo(f"radikal: {error}", err=True)
    refused.append(error)


def _print_detections(result: dict[str, Any]) -> None:
    model = result["model"]
    shown = [d for d in result["detections"] if d["probability"] >= result["operating_probability"]]
    frame = f" frame {result['image']['frame']}" if "frame" in result["image"] else ""
    click.echo(
        f"{result['image']['path']}{frame}: {len(shown)} indications at probability "
        f"{result['operating_probability']:.2f} and above ({model['name']} v{model['version']}, "
        f"{len(result['detections'])} candidates, {result['elapsed_ms']:.0f} ms)"
    )
    for number, found in enumerate(shown, 1):
        x1, y1, x2, y2 = found["bbox"]
        box = f"[{x1:.0f} {y1:.0f} {x2:.0f} {y2:.0f}]"
        click.echo(f"  {number:3d}  {found['class']:<20} p {found['probability']:.2f}  {box}")


def _write_maps(services: Any, result: Any, stem: str, folder: Path) -> None:
    """One PNG a box that the operating probability reports: the radiograph, that box and its map."""
    from core.reports.annotated_png import annotated_png

    folder.mkdir(parents=True, exist_ok=True)
    threshold = result.model.calibration.operating_probability
    for index, probability in enumerate(result.detections.probabilities):
        if probability < threshold:
            continue
        heat_map = services.explain.explain(result, index)
        picture = annotated_png(result, threshold=threshold, heat_map=heat_map)
        target = folder / f"{stem}_box{index + 1}.png"
        target.write_bytes(picture)
        note = " (empty map: nothing raised this score)" if heat_map.is_empty else ""
        click.echo(f"  {target}{note}", err=True)
