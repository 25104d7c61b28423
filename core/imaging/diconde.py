"""DICONDE names for the DICOM tags that ASTM E2339 reuses; pydicom knows only the medical ones."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from pydicom.datadict import add_dict_entries, keyword_for_tag
from pydicom.dataset import Dataset

#: Tag to (VR, multiplicity, description, retired, keyword), as pydicom's dictionary has it.
DICONDE_ENTRIES: dict[int, tuple[str, str, str, str, str]] = {
    0x00081050: ("PN", "1-n", "Inspector's Name", "", "Inspector"),
    0x00081060: ("PN", "1-n", "Certifying Inspector's Name", "", "CertifyingInspector"),
    0x00100010: ("PN", "1", "Component Name", "", "ComponentName"),
    0x00100020: ("LO", "1", "Component ID", "", "ComponentID"),
    0x00102160: ("SH", "1", "Material Name", "", "Material"),
}
#: Tags of DICONDE's own group that pydicom names already.
_COMPONENT_TAGS = (0x00140023, 0x00140025, 0x00140028, 0x00140030, 0x00140042, 0x00140045, 0x00140046)
_MAX_TEXT = 256
_register_lock = threading.Lock()


def register_diconde_names() -> None:
    """Make pydicom know the DICONDE keywords; again and again changes nothing.

    Data sets can then be written with `ds.ComponentName = ...`. The medical keywords of the same
    tags keep working.
    """
    with _register_lock:
        missing = {t: e for t, e in DICONDE_ENTRIES.items() if keyword_for_tag(t) != e[4]}
        if missing:
            add_dict_entries(missing)


def diconde_fields(dataset: Dataset) -> Mapping[str, str]:
    """Keyword to text of the DICONDE fields that are present and not empty."""
    fields: dict[str, str] = {}
    for tag in (*DICONDE_ENTRIES, *_COMPONENT_TAGS):
        element = dataset.get(tag)
        text = "" if element is None else _text(element.value)
        if text:
            keyword = DICONDE_ENTRIES[tag][4] if tag in DICONDE_ENTRIES else keyword_for_tag(tag)
            fields[keyword or f"{tag:08X}"] = text
    return MappingProxyType(fields)


def _text(value: object) -> str:
    """One printable line; several values are joined by a comma."""
    if value is None or isinstance(value, bytes):
        return ""
    many = not isinstance(value, str) and hasattr(value, "__iter__") and type(value).__name__ == "MultiValue"
    text = ", ".join(str(v) for v in value) if many else str(value)  # type: ignore[attr-defined]  # MultiValue
    return "".join(c for c in text if c.isprintable()).strip()[:_MAX_TEXT]
