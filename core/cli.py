"""The command line: `radikal`, one command a service."""

import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import click

from core.config import Settings, load_settings
from core.domain.errors import BadInputError, WorkbenchError

ROOT = Path(__file__).resolve().parents[1]
BAD_INPUT, FAILED = 2, 1
P = ParamSpec("P")


def _settings() -> Settings:
    return load_settings(ROOT / ".env")


def _one_line_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Turn an error that is fit for users into one line on stderr and its exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except WorkbenchError as error:
            click.echo(f"radikal: {error}", err=True)
            sys.exit(BAD_INPUT if isinstance(error, BadInputError) else FAILED)
        except OSError as error:
            click.echo(f"radikal: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True)
            sys.exit(FAILED)

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="radikal", prog_name="radikal")
def main() -> None:
    """Inspection workbench for industrial radiographs."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@main.command()
@click.option("--demo", is_flag=True, help="Prepare for guest sessions on the samples.")
@_one_line_errors
def setup(demo: bool) -> None:
    """Create database and registry, register the shipped models; idempotent."""
    from core.bootstrap import set_up

    registered = set_up(_settings())
    for name, numbers in registered.items():
        click.echo(f"{name}: versions {', '.join(map(str, numbers))} registered")
    if not registered:
        click.echo("no model versions are shipped in models/checkpoints", err=True)
    click.echo("ready for the demo" if demo else "ready")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=int, help="Port to listen on.")
@click.option("--demo", is_flag=True, help="Guest sessions without accounts.")
def serve(host: str, port: int, demo: bool) -> None:
    """Serve the workbench in the browser."""
    arguments = ["-m", "app.server", "--host", host, "--port", str(port), *(["--demo"] if demo else [])]
    os.chdir(ROOT)  # Streamlit finds .streamlit/config.toml in the working directory only
    os.execv(sys.executable, [sys.executable, *arguments])


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", required=True, type=click.Choice(["weld", "casting"]), help="Registered model.")
@click.option("--version", type=int, help="Version number; wins over --alias.")
@click.option("--alias", default="champion", show_default=True, help="Alias of the version to run.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="Lowest raw score; default: the score cut.")
@click.option(
    "--polarity",
    type=click.Choice(["film", "digital", "unknown"]),
    default="unknown",
    show_default=True,
    help="Of files that do not say.",
)
@click.option("--explain", type=click.Path(path_type=Path), help="Folder for one heat map PNG a box.")
@click.option("--json", "json_path", type=click.Path(), help="File for the result, - for standard output.")
@_one_line_errors
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

    A file that cannot be read is named on stderr and the others are still done; the exit code is then 2.
    """
    from core.bootstrap import build_services
    from core.domain.radiograph import Polarity
    from core.imaging.read import read_radiograph_file
    from core.reports.detection_json import detection_to_dict

    services = build_services(_settings())
    services.registry.resolve(model, version=version, alias=alias)  # a wrong model fails before any image
    results, n_bad = [], 0
    for path in paths:
        try:
            radiograph = read_radiograph_file(path, polarity=Polarity(polarity))
            result = services.detect.detect(
                radiograph, path.name, model=model, version=version, alias=alias, min_score=min_score
            )
        except BadInputError as error:
            click.echo(f"radikal: {error}", err=True)
            n_bad += 1
            continue
        results.append(detection_to_dict(result, str(path)))
        if explain is not None:
            _write_maps(services, result, path.stem, explain)
        if sys.stderr.isatty():
            _progress(len(results) + n_bad, len(paths))
    if json_path == "-":
        click.echo(json.dumps(results, indent=1))
    else:
        if json_path is not None:  # first, so that a closed pipe loses nothing
            Path(json_path).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        for entry in results:
            _print_detections(entry)
    if n_bad:
        sys.exit(BAD_INPUT)


def _print_detections(result: dict[str, Any]) -> None:
    model = result["model"]
    shown = [d for d in result["detections"] if d["probability"] >= result["operating_probability"]]
    click.echo(
        f"{result['image']['path']}: {len(shown)} indications at probability "
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


@main.command()
@click.option("--model", required=True, type=click.Choice(["weld", "casting"]), help="Registered model.")
@click.option("--coco", required=True, type=click.Path(path_type=Path), help="COCO file with the truth.")
@click.option("--images", required=True, type=click.Path(path_type=Path), help="Folder of its images.")
@click.option("--version", type=int, help="Version number; wins over --alias.")
@click.option("--alias", default="champion", show_default=True, help="Alias of the version to run.")
@click.option("--split", type=click.Path(path_type=Path), help="Split list: evaluate one part of it only.")
@click.option("--part", default="test", show_default=True, help="Part of the split list.")
@click.option("--polarity", type=click.Choice(["film", "digital", "unknown"]), default="unknown",
              show_default=True, help="Of files that do not say.")  # fmt: skip
@click.option("--gate", is_flag=True, help="Refuse when any of the images was trained on.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for all figures.")
@_one_line_errors
def evaluate(
    model: str,
    coco: Path,
    images: Path,
    version: int | None,
    alias: str,
    split: Path | None,
    part: str,
    polarity: str,
    gate: bool,
    out: Path | None,
) -> None:
    """Measure a model version on images with recorded boxes."""
    from core.bootstrap import build_services
    from core.domain.radiograph import Polarity
    from core.training.images import members_of, read_split

    services = build_services(_settings())
    members = None
    if split is not None:
        members = members_of(read_split(split), part)
    summary = services.evaluate.evaluate(
        coco,
        images,
        model=model,
        version=version,
        alias=alias,
        series=members,
        polarity=Polarity(polarity),
        gate=gate,
        progress=_progress,
    )
    figures = summary.to_dict()
    if out is not None:
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _print_figures(figures)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total or done % 50 == 0:
        end = "\n" if done == total or not sys.stderr.isatty() else "\r"
        sys.stderr.write(f"{done} of {total} images{end}")
        sys.stderr.flush()


def _print_figures(figures: dict[str, Any]) -> None:
    click.echo(f"{figures['model']} v{figures['version']} on {figures['n_images']} images, "
               f"{figures['n_boxes']} boxes")  # fmt: skip
    click.echo(f"{figures['n_trained_on']} of {figures['n_images']} images were trained on")
    for name in ("ap50", "ap50_95", "recall", "precision", "false_calls_per_image", "d_ece", "d_ece_raw",
                 "brier", "brier_raw"):  # fmt: skip
        value, interval = figures[name], figures.get(f"{name}_ci")
        if name == "d_ece":
            interval = None
        text = "not evaluable" if value is None else f"{value:.4f}"
        if value is None and (reason := figures["not_evaluable"].get(name)):
            text += f": {reason}"
        if interval:
            text += f"  (95 % interval {interval[0]:.4f} to {interval[1]:.4f})"
        if name == "d_ece" and figures["d_ece_band"]:
            low, high = figures["d_ece_band"]
            text += f"  (a perfectly calibrated model of this size: {low:.4f} to {high:.4f})"
        click.echo(f"  {name:<22}{text}")
    click.echo(f"  at probability {figures['operating_probability']}, score cut {figures['score_cut']}")


@main.command()
@click.option("--recipe", required=True, type=click.Path(path_type=Path), help="Recipe YAML.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run; default below DATA_DIR.")
@click.option("--job", help="Id of the job row that follows this run.")
@click.option("--resume", is_flag=True, help="Go on from the newest checkpoint.")
@_one_line_errors
def train(recipe: Path, data: Path, out: Path | None, job: str | None, resume: bool) -> None:
    """Train by a recipe; parameters, data hashes and losses go to MLflow too."""
    from core.bootstrap import build_training

    weights = build_training(_settings(), job=job).run(recipe, data, out=out, should_resume=resume)
    click.echo(weights)


@main.group()
def models() -> None:
    """Registered model versions."""


@models.command("list")
@_one_line_errors
def list_models() -> None:
    """Every version with its aliases, release state and data licence."""
    from core.bootstrap import make_registry

    registry = make_registry(_settings())
    for name in registry.names():
        for version in registry.versions(name):
            aliases = ", ".join(version.aliases) or "-"
            note = (version.card.get("release") or {}).get("note", "")
            click.echo(f"{name} v{version.version}  {version.sha256[:12]}  {aliases:<12} {note}".rstrip())
            if version.data_notice:
                click.echo(f"    {version.data_notice}")


@models.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--alias", help="Alias to give the version, e.g. challenger.")
@_one_line_errors
def import_model(folder: Path, alias: str | None) -> None:
    """Register the model version in FOLDER (weights, card, calibration, manifest)."""
    from core.bootstrap import make_registry

    number = make_registry(_settings()).register(folder, alias=alias)
    click.echo(f"registered as version {number}")


@models.command("build")
@click.argument("specification", type=click.Path(path_type=Path))
@click.option("--run", required=True, type=click.Path(path_type=Path), help="Folder of the training run.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder of COCO files, images.")
@click.option("--out", type=click.Path(path_type=Path), help="Default: its place in models/checkpoints.")
@click.option("--device", required=True, help="What trained it, in words, for the card.")
@click.option("--date", required=True, help="When the training ended, YYYY-MM-DD.")
@_one_line_errors
def build_model(specification: Path, run: Path, data: Path, out: Path | None, device: str, date: str) -> None:
    """Calibrate and measure a training run and write its card, as SPECIFICATION says."""
    from core.services.releasing import ReleaseSettings, build_release, read_release

    content = read_release(specification)
    target = out or ROOT / "models" / "checkpoints" / f"{content['name']}-v{content['version']}"
    click.echo(
        build_release(content, ReleaseSettings(run, data, target, ROOT / "data" / "splits", device, date))
    )


@models.command()
@click.argument("name", type=click.Choice(["weld", "casting"]))
@click.argument("version", type=int)
@click.option("--alias", default="champion", show_default=True, help="Alias to move.")
@_one_line_errors
def promote(name: str, version: int, alias: str) -> None:
    """Let an alias of the model NAME point to VERSION."""
    from core.bootstrap import make_registry

    make_registry(_settings()).set_alias(name, alias, version)
    click.echo(f"{name} {alias} is version {version}")


@main.command()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write into.")
@click.option("--count", required=True, type=click.IntRange(1, 100_000), help="How many radiographs.")
@click.option("--seed", required=True, type=click.IntRange(0), help="Seed of the first; the others follow.")
@_one_line_errors
def simulate(out: Path, count: int, seed: int) -> None:
    """Write simulated weld radiographs with their truth (16-bit PNG, COCO)."""
    from core.simulate.dataset import write_dataset

    click.echo(write_dataset(out, count=count, seed=seed))
