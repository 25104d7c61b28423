"""A DICOM storage service: what stations send is flushed to a folder before they are told that it arrived."""

import logging
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made when it is imported
from pynetdicom.transport import ThreadedAssociationServer

from core.domain.errors import BadInputError
from core.store.whole_file import write_whole

log = logging.getLogger(__name__)
_SUCCESS, _NO_ROOM, _NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
_TITLE = re.compile(r"[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_UID = re.compile(r"[0-9.]{1,64}")
_IDLE_S = 60.0
_MOST_ASSOCIATIONS = 10


def require_title(title: str) -> None:
    """Return when it is a title of an application entity.

    Raises:
        BadInputError: it is none.
    """
    if not _TITLE.fullmatch(title):
        raise BadInputError(f"AE title {title[:20]!r}: expected 1 to 16 printable characters")


class StorageReceiver:
    """Takes C-STORE (and C-ECHO) from the stations that are listed, and from nobody else.

    Args:
        folder: gets a file for each object, `SOPInstanceUID.dcm`.
        title: of this application entity.
        stations: titles of those that may send.

    Raises:
        BadInputError: a title is none, or no station is listed.
    """

    def __init__(self, folder: Path, title: str, stations: Sequence[str]) -> None:
        if not stations:
            raise BadInputError("name the stations that may send: --from TITLE")
        for one in (title, *stations):
            require_title(one)
        self._folder = folder
        self._entity = AE(ae_title=title)
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = list(stations)
        self._entity.maximum_associations = _MOST_ASSOCIATIONS
        self._entity.network_timeout = self._entity.acse_timeout = self._entity.dimse_timeout = _IDLE_S
        for context in AllStoragePresentationContexts:
            assert context.abstract_syntax is not None  # none of the standard's is without one
            self._entity.add_supported_context(context.abstract_syntax, context.transfer_syntax)
        self._entity.add_supported_context(Verification)

    def start(self, host: str, port: int) -> ThreadedAssociationServer:
        """The server, which listens now; its `shutdown()` ends it.

        Raises:
            OSError: the port is taken.
        """
        handlers: list[Any] = [(evt.EVT_C_STORE, self._store)]
        server = self._entity.start_server((host, port), block=False, evt_handlers=handlers)
        assert isinstance(server, ThreadedAssociationServer)  # because it does not block
        return server

    def _store(self, event: Any) -> int:
        """Keep one object; the station hears of success only once it lies on the disk."""
        try:
            uid = str(event.request.AffectedSOPInstanceUID)
            data = event.encoded_dataset()
        except (AttributeError, ValueError):
            log.exception("an object could not be understood")
            return _NOT_UNDERSTOOD
        name = uid if _UID.fullmatch(uid) else sha256(uid.encode()).hexdigest()
        target = self._folder / f"{name}.dcm"
        try:
            write_whole(target, data, mark=f".{event.assoc.native_id}")
        except OSError:
            log.exception("an object could not be kept")
            return _NO_ROOM
        log.info("%s arrived from %s", target.name, event.assoc.requestor.ae_title)
        return _SUCCESS
