"""Indication classes and their ISO 6520-1 codes."""

from enum import StrEnum


class IndicationClass(StrEnum):
    """Class of an indication. `UNCLASSIFIED` when there is no evidence for a class."""

    POROSITY = "porosity"
    CRACK = "crack"
    INCLUSION = "inclusion"
    LACK_OF_FUSION = "lack of fusion"
    LACK_OF_PENETRATION = "lack of penetration"
    UNDERCUT = "undercut"
    UNCLASSIFIED = "unclassified"


#: The group code of each class (ISO 6520-1); the detector cannot tell the sub-codes apart.
ISO_6520: dict[IndicationClass, str | None] = {
    IndicationClass.POROSITY: "201",
    IndicationClass.CRACK: "100",
    IndicationClass.INCLUSION: "300",
    IndicationClass.LACK_OF_FUSION: "401",
    IndicationClass.LACK_OF_PENETRATION: "402",
    IndicationClass.UNDERCUT: "501",
    IndicationClass.UNCLASSIFIED: None,
}
