"""Streamlit's choosers of files, over our store in place of its own, which keeps every file in memory."""

import uuid
from collections.abc import Sequence
from pathlib import Path

from streamlit import config
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.caching.storage.local_disk_cache_storage import LocalDiskCacheStorageManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.stats import CacheStat
from streamlit.runtime.uploaded_file_manager import UploadedFileManager, UploadedFileRec, UploadFileUrlInfo
from streamlit.web.server.starlette import App

from app.shared.uploads import UploadStore, uploads
from app.web.middleware.limits import UPLOADS


class StoredUploads(UploadedFileManager):
    """Tells choosers which files they hold, without their bytes: those `app.shared.uploads` reads.

    Args:
        store: has the files.
    """

    def __init__(self, store: UploadStore) -> None:
        self._store = store

    @property
    def stats_families(self) -> Sequence[str]:
        """None: the page of these figures is closed."""
        return ()

    def get_stats(self, family_names: Sequence[str] | None = None) -> dict[str, list[CacheStat]]:
        """None."""
        return {}

    def get_files(self, session_id: str, file_ids: Sequence[str]) -> list[UploadedFileRec]:
        """Those that the page has, in this order."""
        found = [(file_id, self._store.find(session_id, file_id)) for file_id in file_ids]
        return [UploadedFileRec(key, held.name, held.media_type, b"") for key, held in found if held]

    def remove_file(self, session_id: str, file_id: str) -> None:
        """The visitor took it out of the chooser."""
        self._store.take(session_id, file_id)

    def remove_session_files(self, session_id: str) -> None:
        """The page is gone."""
        self._store.drop(session_id)

    def get_upload_urls(self, session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]:
        """An address for each file."""
        ids = [str(uuid.uuid4()) for _ in file_names]
        return [UploadFileUrlInfo(one, *(f"{UPLOADS}{session_id}/{one}",) * 2) for one in ids]


class WorkbenchApp(App):
    """Streamlit's app with our store of uploads: it has no option for that, so one method is replaced."""

    def _create_runtime(self) -> Runtime:
        """As in Streamlit 1.67, with another manager of uploads."""
        script: Path = self._resolve_script_path()
        return Runtime(
            RuntimeConfig(
                script_path=str(script),
                media_file_storage=MemoryMediaFileStorage("/media"),
                uploaded_file_manager=StoredUploads(uploads()),
                cache_storage_manager=LocalDiskCacheStorageManager(),
                is_hello=False,
                session_storage=MemorySessionStorage(
                    ttl_seconds=config.get_option("server.disconnectedSessionTTL")
                ),
                on_script_error=self._on_script_error,
            )
        )
