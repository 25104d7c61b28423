"""Taking in files beside the script thread, so that a page never waits for one."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from app.incident import incident
from app.tray import NO_SETUP, Tray
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.imaging.handed_in import HandedIn, unpack
from core.imaging.names import clean_name
from core.logs import bound
from core.services.samples import Sample
from core.services.workspaces import Workspace

_WORKERS = 2
_AFTERMATH = "Nothing was stored; your other images are not affected."

#: Key of the tray entry, and the file that it waits for.
_Waiting = deque[tuple[str, HandedIn]]


class Intake:
    """Reads and stores files in the background; the tray says how far each is."""

    def __init__(self, workspace_of: Callable[[Identity], Workspace]) -> None:
        self._workspace_of = workspace_of
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="intake")

    def receive(
        self,
        tray: Tray,
        identity: Identity,
        data: bytes,
        name: str,
        polarity: Polarity,
        setup: Setup = NO_SETUP,
    ) -> str:
        """The key of the entry; the file is read soon. A ZIP archive gives one entry for each of its files.

        Of an archive the key of the first file is returned. Its files are read one after the other, other
        uploads in between; one that cannot be read does not stop the others.
        """
        try:
            files = unpack(data, name)
        except WorkbenchError as error:
            key = tray.expect(clean_name(name), polarity, setup)
            tray.fail(key, f"{error}. {_AFTERMATH}")
            return key
        waiting: _Waiting = deque((tray.expect(file.name, polarity, setup), file) for file in files)
        first, _ = waiting[0]
        self._pool.submit(self._take_next, tray, identity, waiting, polarity, setup)
        return first

    def open_sample(self, tray: Tray, identity: Identity, sample: Sample, setup: Setup = NO_SETUP) -> str:
        """The key of the entry that shows a shipped sample.

        Raises:
            OSError: the sample's file is gone.
        """
        data = sample.path.read_bytes()
        return self.receive(tray, identity, data, sample.name, sample.polarity, setup)

    def close(self) -> None:
        """Finish what is being read, drop the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _take_next(
        self, tray: Tray, identity: Identity, waiting: _Waiting, polarity: Polarity, setup: Setup
    ) -> None:
        key, file = waiting.popleft()
        with bound(user_id=identity.user_id):
            self._take(tray, identity, key, file, polarity, setup)
        if waiting:
            try:
                self._pool.submit(self._take_next, tray, identity, waiting, polarity, setup)
            except RuntimeError:  # closed in between: the rest is dropped
                return

    def _take(
        self,
        tray: Tray,
        identity: Identity,
        key: str,
        file: HandedIn,
        polarity: Polarity,
        setup: Setup,
    ) -> None:
        try:
            workspace = self._workspace_of(identity)
            radiograph = workspace.images.add(identity, file.read(), file.name, polarity=polarity)
            if tray.store(key, radiograph.sha256):
                workspace.worklist.put(identity, key, radiograph.sha256, file.name, polarity, setup)
        except WorkbenchError as error:
            tray.fail(key, f"{error}. {_AFTERMATH}")
        except Exception:  # noqa: BLE001 - the worker's edge: logged, told, the next file goes on
            tray.fail(key, incident(f"Reading {file.name}"))
