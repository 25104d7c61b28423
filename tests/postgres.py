"""A real PostgreSQL server in a temporary folder, run as an unprivileged user, reached by a socket only."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

_PATTERN = "/usr/lib/postgresql/*/bin"
_SUPERUSER = "postgres"
_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 30.0
_PR_SET_PDEATHSIG = 1


def find_binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: PG_BIN, else Debian's newest, else PATH; None without one."""
    if named := os.environ.get("PG_BIN"):
        candidates = [Path(named)]
    else:
        installed = Path("/").glob(_PATTERN.lstrip("/"))
        candidates = sorted(installed, key=lambda path: float(path.parent.name), reverse=True)
        if found := shutil.which("initdb"):
            candidates.append(Path(found).parent)
    return next((path for path in candidates if (path / "postgres").exists()), None)


@dataclass
class PostgresServer:
    """A server of ours; `start`, `stop` and `kill` may follow each other.

    Attributes:
        binaries: folder of the programs.
        folder: holds data, socket and log; nobody else can enter it.
        is_durable: False leaves out the flushes to the disk, which is faster.
        settings: of the server, beyond ours.
    """

    binaries: Path
    folder: Path
    is_durable: bool
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, database: str) -> str:
        """How RadiKal reaches a database of this server."""
        return f"postgresql+psycopg://{_SUPERUSER}@/{database}?host={quote(str(self.folder), safe='')}"

    def connect(self, database: str) -> psycopg.Connection:
        """A connection on which every statement is a transaction of its own."""
        return psycopg.connect(host=str(self.folder), user=_SUPERUSER, dbname=database, autocommit=True)

    def execute(self, statement: str, *, database: str = _SUPERUSER) -> None:
        """Run one statement outside a transaction."""
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """The URL of a new database that holds what `template` holds."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def initialise(self) -> None:
        """Make the files of an empty server."""
        arguments = ["--no-locale", "--encoding=UTF8", "--auth=trust", "--data-checksums", "--no-sync"]
        made = subprocess.run(
            [self.binaries / "initdb", "-D", self.folder / "data", "-U", _SUPERUSER, *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self._ordinary_user(),
        )
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr}")

    def copy_of(self, primary: "PostgresServer") -> None:
        """Make the files of a standby that will follow `primary`, which runs."""
        data = self.folder / "data"
        made = subprocess.run(
            [
                *(self.binaries / "pg_basebackup", "-D", data, "-h", primary.folder, "-U", _SUPERUSER),
                *("-R", "-N", "-c", "fast"),
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._ordinary_user(),
        )
        if made.returncode != 0:
            raise RuntimeError(f"pg_basebackup failed: {made.stderr}")

    def start(self) -> None:
        """Start the server and wait until it answers; after `kill` it recovers first."""
        limit = time.monotonic() + _START_LIMIT_S
        while not self._start_once():
            if time.monotonic() > limit:
                log = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start:\n{log}")
            time.sleep(0.1)  # processes of the server before may still be on their way out

    def _start_once(self) -> bool:
        """True when the server answers, False when it gave up."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "unix_socket_permissions": "0700",
            "max_connections": 60,
            "shared_buffers": "32MB",
            "fsync": "on" if self.is_durable else "off",
            "timezone": "Asia/Kathmandu",  # whatever the server thinks, moments come back in UTC
            **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_stop_with_parent if sys.platform == "linux" else None,
                **self._ordinary_user(),
            )
        return self._answers(self._process)

    def stop(self) -> None:
        """Stop the server; does nothing when it is stopped."""
        self._end(signal.SIGINT)

    def kill(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server at once: what is only in its own memory is lost.

        Args:
            how: SIGQUIT makes all its processes exit where they are; after SIGKILL of the first one the
                others find out by themselves.
        """
        self._end(how)

    def wait_until_alone(self) -> None:
        """Return when nobody else is connected, so that nothing a killed client asked for is under way."""
        others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> %s"
        limit = time.monotonic() + _STOP_LIMIT_S
        with self.connect(_SUPERUSER) as connection:
            while (row := connection.execute(others, [connection.info.backend_pid]).fetchone()) != (0,):
                if time.monotonic() > limit:
                    raise RuntimeError(f"{row} clients do not go away")
                time.sleep(0.01)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_LIMIT_S)
        self._process = None

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        limit = time.monotonic() + _START_LIMIT_S
        while process.poll() is None:
            try:
                self.connect(_SUPERUSER).close()
                return True
            except psycopg.OperationalError:
                if time.monotonic() > limit:
                    raise
            time.sleep(0.05)
        return False

    def _ordinary_user(self) -> dict:
        """What makes a subprocess run as the owner of the folder: PostgreSQL refuses to run as root."""
        owner = self.folder.stat()
        if owner.st_uid == os.getuid():
            return {"cwd": self.folder}
        return {"cwd": self.folder, "user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


@contextmanager
def run_postgres(binaries: Path, *, is_durable: bool) -> Iterator[PostgresServer]:
    """A started server in a folder of its own; stopped and removed at the end, whatever happened.

    The folder is not pytest's: an unprivileged user could not enter that, and a socket's path is short.
    """
    folder = Path(tempfile.mkdtemp(prefix="radikal-pg-"))
    give_to_unprivileged(folder)
    server = PostgresServer(binaries, folder, is_durable)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        try:
            server.kill()  # nothing of it is kept, so nothing needs to be written down
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def give_to_unprivileged(folder: Path) -> None:
    """Let whoever runs the servers own `folder`, where we are root ourselves."""
    if os.getuid() == 0:
        user = _unprivileged_user()
        os.chown(folder, user.pw_uid, user.pw_gid)


def _unprivileged_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("running as root, and there is neither a user postgres nor a user nobody")


def _stop_with_parent() -> None:
    """Have the kernel stop the server when the test process is killed and cannot."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
