"""`radikal watch`, `receive` and `send`: radiographs that arrive by themselves, and results that go back."""

import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import click

from core.cli.conventions import ALIAS, MODEL, POLARITY, VERSION, counted, one_line_errors, open_services
from core.domain.accounts import Identity
from core.domain.errors import BadInputError

_EVERY = click.option("--every", "every_s", default=2.0, show_default=True, type=click.FloatRange(0.1, 3600),
                      help="Seconds between two looks at the folder.")  # fmt: skip
_FOLDER = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


@click.command()
@_FOLDER
@click.option("--as", "name", required=True, help="Account that the inspections are recorded for.")
@MODEL
@VERSION
@ALIAS
@POLARITY
@click.option("--captures", is_flag=True,
              help="Write results of DICOM files as DICOM secondary captures, too.")  # fmt: skip
@click.option("--outbox", type=click.Path(path_type=Path, file_okay=False),
              help="Folder that gets each report, and again when somebody signs it.")  # fmt: skip
@_EVERY
@click.option("--once", is_flag=True, help="Read what is there now, then end.")
@one_line_errors
def watch(
    folder: Path,
    name: str,
    model: str,
    version: int | None,
    alias: str,
    polarity: str,
    captures: bool,
    outbox: Path | None,
    every_s: float,
    once: bool,
) -> None:
    """Read the radiographs that arrive in FOLDER and the folders in it, until it is stopped.

    Each becomes an inspection that waits for the account. Its result lies beside it as NAME.radikal.json,
    with the file's sha256; what has one is left alone until it changes. A file is taken once its size and
    time stayed for two seconds; hidden files and those named .part, .tmp or .partial are left alone. Killed
    and started again it goes on: nothing is recorded twice, and nothing is left out.

    With --outbox the report of each lies there as JSON, and for DICOM files as a DICOM structured report,
    marked as not signed; once more each time that somebody signs. `radikal send` takes them to a station.
    """
    from core.domain.radiograph import Polarity
    from core.observing import observe, stop_observing
    from core.services.accounts.attempts import actor_of
    from core.services.intake.asked import Asked
    from core.services.intake.returning import Outbox
    from core.services.intake.watching import SETTLED_S, FolderWatch

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_services(newest=True) as services:

        def whose() -> Identity:
            with services.store.read() as work:
                user = work.users.named(name)
            if user is None or not user.is_active:
                raise BadInputError(f"there is no account {name} that may sign in")
            return actor_of(user)

        whose()
        services.registry.resolve(model, version=version, alias=alias)
        seen = FolderWatch(
            services.inspect_files,
            whose,
            folder,
            Asked(model, version, alias, Polarity(polarity)),
            has_captures=captures,
            outbox=Outbox(outbox, services.workspace, services.reporting(whose()), whose) if outbox else None,
            settled_s=0.0 if once else SETTLED_S,
        )
        observe(services.settings, service="radikal-watch")
        try:
            if once:
                seen.look(told=_told, stop=stop)
                return
            click.echo(f"watching {folder}", err=True)
            seen.run(stop, every_s=every_s, told=_told)
        finally:
            stop_observing()


def _told(path: Path, n_radiographs: int, problem: str) -> None:
    why = f"; {problem}" if problem else ""
    click.echo(f"{path.name}: {counted(n_radiographs, 'radiograph')}{why}", err=True)


@click.command()
@_FOLDER
@click.option("--title", default="RADIKAL", show_default=True, help="AE title of this service.")
@click.option("--from", "stations", multiple=True, required=True,
              help="AE title of a station that may send; several times for more.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=11112, show_default=True, type=click.IntRange(1, 65535),
              help="Port to listen on.")  # fmt: skip
@one_line_errors
def receive(folder: Path, title: str, stations: Sequence[str], host: str, port: int) -> None:
    """Be a DICOM storage service (C-STORE, C-ECHO) that puts what stations send into FOLDER.

    A station hears that an object arrived once it is flushed to the disk as SOPInstanceUID.dcm. Only
    stations that are named may send. `radikal watch FOLDER` beside it reads what arrives. DICOM has no
    passwords and this speaks no TLS: listen where only stations reach it.
    """
    from core.services.intake.receiving import StorageReceiver

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    receiver = StorageReceiver(folder, title, stations)
    try:
        server = receiver.start(host, port)
    except OSError as error:
        raise BadInputError(f"{host}:{port} cannot be listened on: {error.strerror}") from error
    click.echo(f"{title} listens on {host}:{port} for {', '.join(stations)}", err=True)
    stop.wait()
    server.shutdown()


@click.command()
@_FOLDER
@click.option("--to", "station", required=True, help="Station that gets them, TITLE@HOST:PORT.")
@click.option("--title", default="RADIKAL", show_default=True, help="AE title of this service.")
@_EVERY
@click.option("--once", is_flag=True, help="Send what is there now, then end.")
@one_line_errors
def send(folder: Path, station: str, title: str, every_s: float, once: bool) -> None:
    """Send the reports in the outbox FOLDER to a station by DICOM C-STORE, until it is stopped.

    What the station has goes to FOLDER/sent, what it refuses for good to FOLDER/refused; everything else
    stays and is tried again, ever more rarely. DICOM has no passwords and this speaks no TLS.
    """
    from core.services.intake.sending import ResultSender, station_from

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender = ResultSender(folder, station_from(station), title)
    if once:
        click.echo(f"{counted(sender.look(stop=stop), 'report')} sent", err=True)
        return
    click.echo(f"sending from {folder} to {station}", err=True)
    sender.run(stop, every_s=every_s)
