"""Taking in files beside the script thread, so that a page never waits for one."""

from concurrent.futures import ThreadPoolExecutor

from app.incident import incident
from app.tray import Tray
from core.domain.errors import WorkbenchError
from core.domain.radiograph import Polarity
from core.services.images import ImageService
from core.services.samples import Sample

_WORKERS = 2


class Intake:
    """Reads and stores files in the background; the tray says how far each is."""

    def __init__(self, images: ImageService) -> None:
        self._images = images
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="intake")

    def receive(self, tray: Tray, data: bytes, name: str, polarity: Polarity) -> str:
        """The key of the entry; the file is read soon."""
        key = tray.expect(name, polarity)
        self._pool.submit(self._take, tray, key, data, name, polarity)
        return key

    def open_sample(self, tray: Tray, sample: Sample) -> str:
        """The key of the entry that shows a shipped sample.

        Raises:
            OSError: the sample's file is gone.
        """
        return self.receive(tray, sample.path.read_bytes(), sample.name, sample.polarity)

    def close(self) -> None:
        """Finish what is being read, drop the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self, tray: Tray, key: str, data: bytes, name: str, polarity: Polarity) -> None:
        try:
            tray.store(key, self._images.add(data, name, polarity=polarity).sha256)
        except WorkbenchError as error:
            tray.fail(key, f"{error}. Nothing was stored; your other images are not affected.")
        except Exception:  # noqa: BLE001 - the worker's edge: logged, told, the next file goes on
            tray.fail(key, incident(f"Reading {name}"))
