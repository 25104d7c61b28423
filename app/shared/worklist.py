"""Worklists: the images that a visitor handed in or opened, and so may see."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any

from app.shared.resources import MODELS, Resources, resources
from core.domain.accounts import Identity
from core.domain.radiograph import Polarity
from core.domain.reading import Setup, setup_from
from core.services.workspaces import Workspace

_MAX_WORKLISTS = 500
_MAX_ENTRIES = 300
NO_SETUP = Setup()


class EntryState(StrEnum):
    """Progress of an upload."""

    READING = "reading"
    STORED = "stored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WorklistEntry:
    """One image a visitor handed in or opened.

    Attributes:
        key: names the entry within its worklist.
        name: file name as the visitor knows it.
        polarity: as the visitor stated it; UNKNOWN where not, then it is estimated, and asked where unsure.
        sha256: of the original bytes, None until it was read and stored.
        message: why it failed, one line.
        model: the registered model that reads it, as it was chosen when the image came.
        is_model_chosen: for this very image; else the model for new parts reads what looks strange to it.
        setup: of the inspection; what nobody opened yet follows it.
        read_by: by model name, the version that reads it, whatever became champion later.
        batch: shared by what was handed in together; empty for an image alone.
    """

    key: str
    name: str
    polarity: Polarity
    state: EntryState = EntryState.READING
    sha256: str | None = None
    message: str = ""
    model: str = MODELS[0]
    setup: Setup = NO_SETUP
    read_by: Mapping[str, int] = field(default_factory=dict, compare=False)
    batch: str = ""
    is_model_chosen: bool = False


class Worklist:
    """The entries of one visitor in the order they came. Safe to share between threads.

    Args:
        entries: of before.
    """

    def __init__(self, entries: Iterable[WorklistEntry] = ()) -> None:
        self._entries: OrderedDict[str, WorklistEntry] = OrderedDict((one.key, one) for one in entries)
        self._answers: dict[tuple[str, Polarity], Polarity] = {}  # by batch and estimate
        self._lock = threading.Lock()

    def entries(self) -> tuple[WorklistEntry, ...]:
        """All entries, oldest first."""
        with self._lock:
            return tuple(self._entries.values())

    def get(self, key: str | None) -> WorklistEntry | None:
        """The entry of this key, None when there is none."""
        with self._lock:
            return None if key is None else self._entries.get(key)

    def with_digest(self, sha256: str) -> WorklistEntry | None:
        """The newest entry that shows the image of this digest: the visitor may see it. Else None."""
        return next((e for e in reversed(self.entries()) if e.sha256 == sha256), None)

    def expect(
        self,
        name: str,
        polarity: Polarity,
        setup: Setup = NO_SETUP,
        *,
        model: str = MODELS[0],
        batch: str = "",
    ) -> str:
        """The key of a new entry that is being read; the oldest gives way when the worklist is full."""
        key = secrets.token_hex(8)
        with self._lock:
            self._entries[key] = WorklistEntry(key, name, polarity, model=model, setup=setup, batch=batch)
            self._drop_oldest()
        return key

    def split(self, key: str, names: Sequence[str]) -> tuple[str, ...]:
        """The keys of several entries in the place of one that is being read; the first keeps its key.

        None of them when it was removed meanwhile.
        """
        with self._lock:
            if (entry := self._entries.get(key)) is None:
                return ()
            keys = (key, *(secrets.token_hex(8) for _ in names[1:]))
            parts = {one: replace(entry, key=one, name=name) for one, name in zip(keys, names, strict=True)}
            before = list(self._entries.items())
            self._entries.clear()
            for old, kept in before:
                self._entries.update(parts if old == key else {old: kept})
            self._drop_oldest()
        return keys

    def store(self, key: str, sha256: str, setup: Setup | None = None) -> bool:
        """The entry was read and stored, with its own setup where it got one; an earlier entry of the same
        image gives way.

        False when it was removed meanwhile.
        """
        with self._lock:
            if (entry := self._entries.get(key)) is None:
                return False
            for other in [e for e in self._entries.values() if e.sha256 == sha256 and e.key != key]:
                del self._entries[other.key]
            kept = entry.setup if setup is None else setup
            self._entries[key] = replace(entry, state=EntryState.STORED, sha256=sha256, setup=kept)
            return True

    def state_polarity(
        self, key: str, polarity: Polarity, looks: Mapping[str, Polarity], leave: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Keep the polarity that the visitor states for the entry; the keys of all that it counts for.

        It counts for what was handed in together with it, is stated alike or not at all, and looks like it
        or like what was stated: a film among digital images is not read as one of them.

        Args:
            key: of the entry.
            polarity: film or digital.
            looks: the estimate, by key, of those that were looked at; the answer waits for the others.
            leave: keys that stay as they are.
        """
        with self._lock:
            if (asked := self._entries.get(key)) is None:
                return ()
            look = looks.get(key, Polarity.UNKNOWN)
            if asked.batch:
                self._answers.setdefault((asked.batch, polarity), polarity)
                self._answers[asked.batch, look] = polarity
            changed = [
                one.key
                for one in self._entries.values()
                if one.key == key
                or (
                    asked.batch
                    and one.batch == asked.batch
                    and one.polarity in (Polarity.UNKNOWN, asked.polarity)
                    and looks.get(one.key) in (look, polarity)
                    and one.key not in leave
                )
            ]
            for one in changed:
                self._entries[one] = replace(self._entries[one], polarity=polarity)
            return tuple(changed)

    def answer_alike(self, looks: Mapping[str, Polarity]) -> Mapping[str, Polarity]:
        """The polarities, by key, that an earlier answer states for images that are asked about now.

        Args:
            looks: the estimate of each image that is asked about, by key.
        """
        with self._lock:
            told = {
                key: polarity
                for key, look in looks.items()
                if (entry := self._entries.get(key)) is not None
                and (polarity := self._answers.get((entry.batch, look))) is not None
            }
            for key, polarity in told.items():
                self._entries[key] = replace(self._entries[key], polarity=polarity)
            return told

    def reader(self, key: str, model: str, champion: int) -> int:
        """The version of the model that reads the entry: the champion of when it was first asked."""
        with self._lock:
            if (entry := self._entries.get(key)) is None:
                return champion
            if model not in entry.read_by:
                self._entries[key] = replace(entry, read_by={**entry.read_by, model: champion})
            return entry.read_by.get(model, champion)

    def read_anew(self, key: str, model: str) -> None:
        """Let the present champion read the entry, because the version that was to could not."""
        with self._lock:
            if (entry := self._entries.get(key)) is not None:
                others = {name: version for name, version in entry.read_by.items() if name != model}
                self._entries[key] = replace(entry, read_by=others)

    def read_as(self, key: str, model: str) -> None:
        """Let the registered model that a person chose read the entry."""
        self._change(key, model=model, is_model_chosen=True)

    def describe(self, setups: Mapping[str, Setup]) -> None:
        """Give entries, by key, another setup."""
        for key, setup in setups.items():
            self._change(key, setup=setup)

    def _change(self, key: str, **changes: Any) -> None:
        with self._lock:
            if (entry := self._entries.get(key)) is not None:
                self._entries[key] = replace(entry, **changes)

    def fail(self, key: str, message: str) -> None:
        """The entry could not be read."""
        with self._lock:
            if (entry := self._entries.get(key)) is not None:
                self._entries[key] = replace(entry, state=EntryState.FAILED, message=message)

    def remove(self, key: str) -> None:
        """Take the entry away; nothing happens when it is gone."""
        with self._lock:
            self._entries.pop(key, None)

    def _drop_oldest(self) -> None:
        while len(self._entries) > _MAX_ENTRIES:
            self._entries.popitem(last=False)


class Worklists:
    """One worklist for each visitor; those not used for longest are forgotten first.

    Args:
        recall: gives the visitor's entries of before this process.
    """

    def __init__(self, recall: Callable[[Identity], Iterable[WorklistEntry]] = lambda _visitor: ()) -> None:
        self._recall = recall
        self._worklists: OrderedDict[str, Worklist] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, visitor: Identity) -> Worklist:
        """The visitor's worklist, as it was left."""
        with self._lock:
            known = self._worklists.get(visitor.user_id)
        made = Worklist(self._recall(visitor)) if known is None else known
        with self._lock:
            worklist = self._worklists.setdefault(visitor.user_id, made)
            self._worklists.move_to_end(visitor.user_id)
            while len(self._worklists) > _MAX_WORKLISTS:
                self._worklists.popitem(last=False)
            return worklist

    def forget(self, visitor: str) -> None:
        """Drop the visitor's worklist; what was stored is not touched."""
        with self._lock:
            self._worklists.pop(visitor, None)


def worklists() -> Worklists:
    """Those of this process."""
    return resources().part(_worklists)


def _worklists(held: Resources) -> Worklists:
    return Worklists(partial(recalled, held.services.workspace_of))


def recalled(workspace_of: Callable[[Identity], Workspace], visitor: Identity) -> list[WorklistEntry]:
    """The stored entries of this visitor, each with the versions that read it."""
    workspace = workspace_of(visitor)
    entries = workspace.worklist.entries(visitor)
    with workspace.store.read() as work:
        readers = work.history.readers(visitor.user_id, {kept.image_sha256 for kept in entries})
    return [
        WorklistEntry(
            kept.entry_id,
            kept.name,
            kept.polarity,
            EntryState.STORED,
            kept.image_sha256,
            model=kept.model,
            setup=setup_from(kept.setup),
            read_by={name: number for (image, name), number in readers.items() if image == kept.image_sha256},
            batch=kept.batch,
            is_model_chosen=kept.is_model_chosen,
        )
        for kept in entries
    ]
