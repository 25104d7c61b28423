"""`radikal route`."""

import json
from pathlib import Path
from typing import Any

import click

from core.cli.conventions import (
    ALIAS,
    IMAGES,
    MODEL,
    PART,
    POLARITY,
    SPLIT,
    VERSION,
    members_of_part,
    one_line_errors,
    open_services,
    show_progress,
)


@click.command()
@MODEL
@click.option("--coco", required=True, type=click.Path(path_type=Path),
              help="COCO file of defective parts; `series` names the part.")  # fmt: skip
@IMAGES
@click.option("--clean", type=click.Path(path_type=Path),
              help="COCO file of parts known to hold no defect: they bound rejecting.")  # fmt: skip
@VERSION
@ALIAS
@click.option("--risk", default=0.05, show_default=True,
              help="Highest share of defective parts that may be routed to accept.")  # fmt: skip
@click.option("--confidence", default=0.95, show_default=True, help="Confidence that it is not exceeded.")
@SPLIT
@PART
@click.option("--same-part", multiple=True, metavar="SERIES,SERIES",
              help="Series that show one part; may be given again.")  # fmt: skip
@POLARITY
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for a copy of the certificate.")
@one_line_errors
def route(
    model: str,
    coco: Path,
    images: Path,
    clean: Path | None,
    version: int | None,
    alias: str,
    risk: float,
    confidence: float,
    split: Path | None,
    part: str,
    same_part: tuple[str, ...],
    polarity: str,
    out: Path | None,
) -> None:
    """Certify which images a model version may accept without a look, or say how many parts that takes.

    The parts must have trained and calibrated nothing; those that did are left out. The certificate is kept
    and in force from then on, also one that certifies nothing: then every image is routed to review.
    """
    from core.calibrate.routing import Assurance
    from core.domain.radiograph import Polarity
    from core.services.routing.routing_set import RoutingSet

    level = Assurance(risk, confidence)
    asked = RoutingSet(
        coco=coco,
        images_dir=images,
        clean=clean,
        series=members_of_part(split, part),
        same_part=tuple(tuple(group.split(",")) for group in same_part),
        polarity=Polarity(polarity),
    )
    with open_services() as services:
        routing = services.routing
        certificate = routing.certify(
            asked, level, model=model, version=version, alias=alias, progress=show_progress
        )
        void = services.drift.standing(certificate.subject.model_sha256)
    content = certificate.to_dict()
    if out is not None:
        out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    kept = routing.certificates.save(certificate)
    _print_answer(content)
    click.echo(f"  kept as {kept}")
    if void:
        click.echo(f"  VOID until somebody acknowledges it (radikal models drift {model}): {void}")


def _print_answer(content: dict[str, Any]) -> None:
    click.echo(f"{content['model']} v{content['version']}: {content['answer']} "
               f"(risk {content['risk']:g}, confidence {content['confidence']:g})")  # fmt: skip
    for name, kind in (("accept", "defective"), ("reject", "clean")):
        limit = content[name]
        bound = f"upper bound {limit['bound']:.4f}"
        if limit["threshold"] is None:
            click.echo(f"  {name}: cannot certify: {limit['reason']}; {bound}")
        else:
            side = "below" if name == "accept" else "from"
            counts = f"{limit['n_wrong']} of {limit['n_parts']} {kind} parts, {bound}"
            click.echo(f"  {name} {side} {limit['threshold']:.3f}: {counts}")
    if content["answer"] != "certified":
        click.echo("  every image is routed to review")
    elif content["reject"]["threshold"] is None:
        click.echo(
            f"  reject from {content['reject']['reject_from']:g}, the operating point, without a bound"
        )
    for part in content["parts"]:
        kind = "defective" if part["is_defective"] else "clean"
        click.echo(f"  {part['name']:<28}{kind:<11}{part['n_images']:4d} images  score {part['score']:.4f}")
    for heading, lines in (("left out", content["left_out"]), ("not checked", content["unchecked"])):
        for line in lines:
            click.echo(f"  {heading}: {line}")
