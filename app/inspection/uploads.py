"""Taking in files beside the script thread, so that a page never waits for one."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from app.inspection.numbers import Numbers
from app.shared.incident import incident
from app.shared.resources import MODELS
from app.shared.worklist import NO_SETUP, Worklist
from core.domain.accounts import Identity
from core.domain.errors import UnreadableImageError, WorkbenchError
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.domain.records import new_id
from core.imaging.archive import is_archive
from core.imaging.limits import MAX_FRAMES
from core.imaging.names import clean_name
from core.imaging.uploads import Folder, IncomingFile, frames_in, members_of
from core.logs import bound
from core.services.workspaces import Workspace

Hold = Callable[[Identity, bytes], Callable[[], bytes]]

_WORKERS = 2
_AFTERMATH = "Nothing was stored; your other images are not affected."


@dataclass(slots=True, eq=False)
class _Upload:
    """Files that one person handed in at once.

    Attributes:
        model: the registered model that reads them.
        setup: what they have in common.
        numbers: gives each its own.
        waiting: key of the worklist entry, and the file that it waits for.
        n_entries: entries that it has on the worklist, those that were read among them.
        batch: tells the worklist that they came together.
    """

    worklist: Worklist
    identity: Identity
    polarity: Polarity
    model: str
    setup: Setup
    numbers: Numbers
    waiting: deque[tuple[str, IncomingFile]] = field(default_factory=deque)
    n_entries: int = 0
    batch: str = field(default_factory=new_id)

    def expect(self, file: IncomingFile) -> str:
        """The key of the entry that waits for `file`."""
        key = self.worklist.expect(file.name, self.polarity, self.setup, model=self.model, batch=self.batch)
        self.waiting.append((key, file))
        self.n_entries += 1
        return key

    def split(self, key: str, parts: Sequence[IncomingFile]) -> None:
        """Wait for `parts` next, in the place of the entry that turned out to hold them.

        Raises:
            UnreadableImageError: more than may be handed in at once.
        """
        n_entries = self.n_entries + len(parts) - 1
        if n_entries > MAX_FRAMES:
            raise UnreadableImageError(
                f"expected at most {MAX_FRAMES} radiographs at once, "
                f"got {n_entries} with these {len(parts)} frames"
            )
        keys = self.worklist.split(key, [part.name for part in parts])
        self.waiting.extendleft(reversed(list(zip(keys, parts, strict=bool(keys)))))
        self.n_entries = n_entries


class Intake:
    """Reads and stores files in the background; the worklist says how far each is.

    No more than one file of each worker is in memory: what waits lies on disk, in archives too.

    Args:
        workspace_of: the workspace of a person.
        hold: puts bytes of a person away, and gives what reads them again.
    """

    def __init__(self, workspace_of: Callable[[Identity], Workspace], hold: Hold) -> None:
        self._workspace_of = workspace_of
        self._hold = hold
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="intake")

    def receive(
        self,
        worklist: Worklist,
        identity: Identity,
        file: IncomingFile,
        polarity: Polarity,
        setup: Setup = NO_SETUP,
        *,
        model: str = MODELS[0],
        numbers: Numbers | None = None,
    ) -> str:
        """The key of the entry; the file is read soon. Each image gets its own of `numbers` once it was read.

        A ZIP archive gives one entry for each of its files, a file of several frames or pages one for each
        as soon as it is read; the first key is returned. Files and frames are read one after the
        other, other uploads in between; one that cannot be read does not stop the others.
        """
        upload = _Upload(worklist, identity, polarity, model, setup.shared(), numbers or Numbers())
        key = self._expect(upload, replace(file, name=clean_name(file.name)))
        self._begin(upload)
        return key

    def receive_folder(
        self,
        worklist: Worklist,
        identity: Identity,
        folder: Folder,
        polarity: Polarity,
        setup: Setup = NO_SETUP,
        *,
        model: str = MODELS[0],
        numbers: Numbers | None = None,
    ) -> str | None:
        """The key of the first entry that is read, None when nothing was taken; each file as in `receive`."""
        upload = _Upload(worklist, identity, polarity, model, setup.shared(), numbers or Numbers())
        keys = [self._expect(upload, file) for file in folder.files]
        waiting = [key for key, _ in upload.waiting]
        self._begin(upload)
        return next(iter((*waiting, *keys)), None)

    def close(self) -> None:
        """Finish what is being read, drop the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _expect(self, upload: _Upload, file: IncomingFile) -> str:
        """The key of the first entry for a file; archives are opened, nothing else is looked at."""
        try:
            files = _in_archive(file)
        except WorkbenchError as error:
            key = upload.worklist.expect(file.name, upload.polarity, upload.setup, model=upload.model)
            upload.worklist.fail(key, f"{error}. {_AFTERMATH}")
            return key
        return [upload.expect(one) for one in files][0]

    def _begin(self, upload: _Upload) -> None:
        if upload.waiting:
            self._pool.submit(self._take_next, upload)

    def _take_next(self, upload: _Upload) -> None:
        key, file = upload.waiting.popleft()
        with bound(user_id=upload.identity.user_id):
            self._take(upload, key, file)
        try:
            self._begin(upload)
        except RuntimeError:  # closed in between: the rest is dropped
            return

    def _take(self, upload: _Upload, key: str, file: IncomingFile) -> None:
        worklist, identity = upload.worklist, upload.identity
        try:
            data = file.read()
            if file.frame is None and len(parts := frames_in(data, file.name)) > 1:
                read = file.read if file.open else self._hold(identity, data)
                upload.split(key, [replace(part, read=read) for part in parts])
                return
            workspace = self._workspace_of(identity)
            radiograph = workspace.images.add(
                identity, data, file.name, polarity=upload.polarity, frame=file.frame
            )
            # what was stated while the file was being read counts, too
            stated = entry.polarity if (entry := worklist.get(key)) else upload.polarity
            # kept first: once the worklist shows it as stored it may be removed, and must stay so
            setup = upload.numbers.given(upload.setup, file.name)
            workspace.worklist.put(
                identity, key, radiograph.sha256, file.name, stated, upload.model, setup, upload.batch
            )
            if not worklist.store(key, radiograph.sha256, setup):
                workspace.worklist.remove(identity, key)
        except WorkbenchError as error:
            worklist.fail(key, f"{error}. {_AFTERMATH}")
        except OSError:  # of the disk, not of the file
            worklist.fail(key, f"{incident(f'Storing {file.name}')} {_AFTERMATH}")
        except Exception:  # noqa: BLE001 - the worker's edge: logged, told, the next file goes on
            told = incident(f"Reading {file.name}", is_worth_repeating=False)
            worklist.fail(key, f"{told} {_AFTERMATH}")


def _in_archive(file: IncomingFile) -> tuple[IncomingFile, ...]:
    """The files in an archive; any other file itself, of which no more than its beginning is read."""
    opened = file.opened()
    if is_archive(opened.read(4)):
        return members_of(opened, file.name)
    opened.close()
    return (file,)
