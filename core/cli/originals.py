"""`radikal originals`: where the films lie."""

import sys
from functools import partial

import click

from core.cli.conventions import FAILED, one_line_errors, open_services, show_progress
from core.domain.errors import ConfigurationError


@click.group()
def originals() -> None:
    """Original films: in the data folder, or in an object store."""


@originals.command()
@click.option("--to", "to", help="URL of an object store that gets the films of DATA_DIR, such as "
              "s3://bucket/originals.")  # fmt: skip
@click.option("--from", "origin", help="URL of an object store whose films DATA_DIR gets.")
@click.option("--remove", is_flag=True, help="Remove them where they came from, once all are whole in the "
              "other place; only when nothing is served.")  # fmt: skip
@one_line_errors
def move(to: str | None, origin: str | None, remove: bool) -> None:
    """Copy every original to the other place and compare it there; nothing is removed without --remove.

    While people work: run it; then stop RadiKal, run it again for the rest (what is there already is only
    compared), set or empty ORIGINALS_URL, start, and remove the originals of before with --remove.

    \b
    Exit code 0  all are whole in the other place
              1  the object store does not answer, or an original is damaged or missing; one line each
              2  not one of --to and --from
    """
    from core.domain.accounts import COMMAND_LINE
    from core.services.operations.moving_originals import copy_originals
    from core.store.blobs import BlobStore
    from core.store.object_blobs import CACHE, ObjectBlobs
    from core.store.objects import Objects

    if (url := to or origin) is None or (to and origin):
        raise click.UsageError("say where to: --to URL, or --from URL back to DATA_DIR")
    with open_services() as services:
        is_served_from = services.settings.originals_url == url.rstrip("/")
        if remove and is_served_from is (to is None):
            raise ConfigurationError(
                "ORIGINALS_URL still names the place whose originals would be removed; change it first, then "
                "run this again with --remove. Nothing was changed"
            )
        local = BlobStore(services.data_dir / "originals")
        objects = Objects(url, "--to" if to else "--from")
        cache_bytes = services.settings.originals_cache_mb * 2**20
        remote = ObjectBlobs(objects, services.data_dir / CACHE, cache_bytes=cache_bytes)
        with services.store.read() as work:
            known = work.images.files()
        source, target = (local, remote) if to else (remote, local)
        done = copy_originals(
            source, target, known, removes=remove, progress=partial(show_progress, of="originals")
        )
        with services.store.write() as work:
            work.audit.record(
                COMMAND_LINE,
                action="originals.moved",
                object_type="originals",
                object_id="all",
                details={
                    "is_to_object_store": to is not None,
                    "n_copied": done.n_copied,
                    "n_there": done.n_there,
                    "n_removed": done.n_removed,
                    "n_problems": len(done.problems),
                },
            )
    click.echo(
        f"{done.n_copied} originals copied ({done.n_bytes / 2**20:.1f} MiB), {done.n_there} were there; "
        f"all read there and compared{f'; {done.n_removed} removed where they came from' if remove else ''}"
    )
    for problem in done.problems:
        click.echo(f"radikal: {problem}", err=True)
    if done.problems:
        sys.exit(FAILED)
