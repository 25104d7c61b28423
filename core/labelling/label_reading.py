"""Reads files of labels of any format, which is told from their content where nobody says it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from core.domain.errors import DatasetError
from core.labelling.coco_exchange import entries_of_coco
from core.labelling.cvat import entries_of_cvat
from core.labelling.datumaro import entries_of_datumaro
from core.labelling.entries import LabelEntry, LabelFile, LabelFormat
from core.labelling.label_source import LARGEST_TEXT_BYTES, SourceFile
from core.labelling.label_studio import entries_of_label_studio
from core.labelling.label_text import decoded, parsed_json, parsed_xml
from core.labelling.labelme import entry_of_labelme
from core.labelling.voc import entry_of_voc
from core.labelling.yolo import entry_of_yolo, names_of

#: Files of these may hold labels.
TEXT_SUFFIXES = (".json", ".xml", ".txt", ".yaml", ".yml", ".names", ".data")
_JSON_FORMATS = (LabelFormat.COCO, LabelFormat.LABEL_STUDIO, LabelFormat.LABELME, LabelFormat.DATUMARO)
_XML_FORMATS = (LabelFormat.CVAT, LabelFormat.VOC)
#: Folders in which YOLO's label files lie: `labels` of Ultralytics, `obj_train_data` of CVAT.
_LABEL_FOLDER = re.compile(r"labels|obj_\w+_data", re.IGNORECASE)
#: Text files beside the labels of YOLO that are none.
_NOT_LABELS = re.compile(
    r"(classes|train|val|valid|validation|test|notes|requirements|readme.*)\.txt", re.IGNORECASE
)
_KNOWN = "expected COCO, YOLO, Pascal VOC, CVAT for images 1.1, Label Studio, LabelMe or Datumaro"


def read_labels(
    files: Sequence[SourceFile], name: str, form: LabelFormat | None = None, *, voc_origin: int = 1
) -> LabelFile:
    """What the files say of which image.

    Args:
        files: one file, or the members of an archive; those that are no text are not looked at.
        name: of what was handed in, for messages.
        form: the format; None tells it from the content.
        voc_origin: number of the first pixel in VOC files, 1 or 0.

    Raises:
        DatasetError: nothing in it is understood, or two of the files contradict each other.
    """
    texts = [one for one in files if one.suffix in TEXT_SUFFIXES or len(files) == 1]
    if sum(one.n_bytes for one in texts) > LARGEST_TEXT_BYTES:
        raise DatasetError(f"{name}: more than {LARGEST_TEXT_BYTES // 2**20} MB of labels")
    readers: tuple[tuple[tuple[LabelFormat, ...], str, Callable[[], LabelFile | None]], ...] = (
        ((LabelFormat.YOLO,), ".txt", lambda: _of_yolo(texts, name, is_asked=form is not None)),
        (_XML_FORMATS, ".xml", lambda: _of_xml(texts, name, form, voc_origin)),
        (_JSON_FORMATS, ".json", lambda: _of_json(texts, name, form)),
    )
    for formats, suffix, read in readers:
        if (form is None or form in formats) and (found := read()) is not None:
            others = [one.path for one in texts if one.suffix in {".xml", ".json"} - {suffix}]
            told = tuple(f"{path} was not read: the labels are {found.form.words}" for path in others)
            return replace(found, notes=(*found.notes, *told))
    raise DatasetError(f"{name}: no file of labels in it; {form.words if form else _KNOWN}")


def _of_yolo(texts: Sequence[SourceFile], name: str, *, is_asked: bool) -> LabelFile | None:
    labels = [one for one in texts if one.suffix == ".txt" and not _NOT_LABELS.fullmatch(one.name)]
    in_folders = [
        one for one in labels if any(map(_LABEL_FOLDER.fullmatch, PurePosixPath(one.path).parts[:-1]))
    ]
    passed = [one.path for one in labels if one not in in_folders] if in_folders else []
    labels = in_folders or labels
    described = [one for one in texts if _may_name_classes(one)]
    notes = [f"{path} was not read: other files of labels lie in folders for labels" for path in passed]
    names = _class_names(described, notes)
    if names is None:
        if labels and is_asked:
            raise DatasetError(
                f"{name}: nothing says the names of the classes: expected data.yaml, obj.names or classes.txt"
            )
        if is_asked:
            raise DatasetError(
                f"{name}: expected a ZIP file of YOLO labels with data.yaml, obj.names or classes.txt"
            )
        return None
    if not labels:
        return None
    entries = []
    for one in labels:
        text, note = decoded(one.read(), one.path)
        notes += [note] if note else []
        stem = PurePosixPath(one.path).stem
        entries.append(entry_of_yolo(text, names=names, name=stem, place=one.path))
    return LabelFile(LabelFormat.YOLO, tuple(entries), notes=tuple(notes))


def _may_name_classes(one: SourceFile) -> bool:
    return one.suffix in (".names", ".yaml", ".yml") or one.name.casefold() == "classes.txt"


def _class_names(described: Sequence[SourceFile], notes: list[str]) -> dict[int, str] | None:
    """The class names that the files agree on; None where none says any.

    Raises:
        DatasetError: two files name them differently, or the only one is not understood.
    """
    found: dict[int, str] | None = None
    said = ""
    for one in described:
        text, note = decoded(one.read(), one.path)
        if one.suffix in (".yaml", ".yml") and "names:" not in text:
            continue
        names = names_of(text)
        notes += [note] if note else []
        known = {number: name for number, name in names.items() if name}
        if found is not None and known != {number: name for number, name in found.items() if name}:
            raise DatasetError(f"{said} and {one.path} name the classes differently")
        found, said = names, one.path
    return found


def _of_xml(
    texts: Sequence[SourceFile], name: str, form: LabelFormat | None, voc_origin: int
) -> LabelFile | None:
    documents = [one for one in texts if one.suffix == ".xml" or (len(texts) == 1 and _looks_like(one, b"<"))]
    if not documents:
        if form is not None:
            raise DatasetError(f"{name}: there is no .xml file in it")
        return None
    entries: list[LabelEntry] = []
    faults: list[DatasetError] = []
    cvat: list[LabelFile] = []
    for one in documents:
        try:
            root = parsed_xml(one.read(), one.path)
            if form is LabelFormat.CVAT or (form is None and root.tag == "annotations"):
                cvat.append(entries_of_cvat(root, one.path))
            else:
                entries.append(entry_of_voc(root, one.path, origin=voc_origin))
        except DatasetError as fault:
            faults.append(fault)
            stem = PurePosixPath(one.path).stem
            entries.append(LabelEntry(stem, one.path, problem=str(fault), is_stem=True))
    if len(faults) == len(documents):
        raise faults[0]
    found = LabelFormat.CVAT if cvat else LabelFormat.VOC
    refused = tuple(line for file in cvat for line in file.refused)
    return LabelFile(found, (*(entry for file in cvat for entry in file.entries), *entries), refused)


def _of_json(texts: Sequence[SourceFile], name: str, form: LabelFormat | None) -> LabelFile | None:
    documents = [one for one in texts if one.suffix == ".json" or len(texts) == 1]
    read: list[LabelFile] = []
    faults: list[DatasetError] = []
    notes: list[str] = []
    for one in documents:
        try:
            content = parsed_json(one.read(), one.path)
            kind = form or _format_of(content, one.path)
            if read and kind is not read[0].form:
                notes.append(
                    f"{one.path} was not read: it is {kind.words}, the other files are {read[0].form.words}"
                )
                continue
            read.append(_READERS[kind](content, one.path))
        except DatasetError as fault:
            faults.append(fault)
    if not read:
        if faults:
            raise faults[0]
        return None
    return LabelFile(
        read[0].form,
        tuple(entry for file in read for entry in file.entries),
        (*(line for file in read for line in file.refused), *map(str, faults)),
        (*(line for file in read for line in file.notes), *notes),
    )


def _format_of(content: Any, name: str) -> LabelFormat:
    """The format of a parsed JSON file.

    Raises:
        DatasetError: none that is known.
    """
    if isinstance(content, dict):
        for key, form in (
            ("images", LabelFormat.COCO),
            ("shapes", LabelFormat.LABELME),
            ("items", LabelFormat.DATUMARO),
        ):
            if key in content:
                return form
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return LabelFormat.COCO if "image_id" in content[0] else LabelFormat.LABEL_STUDIO
    raise DatasetError(f"{name}: not a file of labels; {_KNOWN}")


def _of_labelme(content: Any, name: str) -> LabelFile:
    return LabelFile(LabelFormat.LABELME, (entry_of_labelme(content, name),))


_READERS: dict[LabelFormat, Callable[[Any, str], LabelFile]] = {
    LabelFormat.COCO: entries_of_coco,
    LabelFormat.LABEL_STUDIO: entries_of_label_studio,
    LabelFormat.LABELME: _of_labelme,
    LabelFormat.DATUMARO: entries_of_datumaro,
}


def _looks_like(one: SourceFile, start: bytes) -> bool:
    return one.read().lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start)
