"""The image part of what the radiograph viewer is told."""

from typing import Any

from core.domain.radiograph import Polarity, Radiograph

#: A radiograph of more pixels is shown shrunk first, while full depth is on its way.
PREVIEW_ABOVE_PX = 1_500_000
POLARITY_WORDS = {
    Polarity.FILM: "film: less metal is darker",
    Polarity.DIGITAL: "digital: less metal is brighter",
}


def shown_image(radiograph: Radiograph, name: str, address: str) -> dict[str, Any]:
    """Everything the viewer is told of an image, as plain data.

    Args:
        radiograph: its pixels and what its file says.
        name: as people know it.
        address: where its pixels are fetched from; a preview lies below it.
    """
    pitch = radiograph.pitch
    is_large = radiograph.pixels.size > PREVIEW_ABOVE_PX
    return {
        "name": name,
        "sha256": radiograph.sha256,
        "pixels_url": address,
        "preview_url": f"{address}/preview" if is_large else None,
        "width": radiograph.width,
        "height": radiograph.height,
        "bit_depth": radiograph.bit_depth,
        "file_format": radiograph.file_format,
        "polarity": radiograph.polarity.value,
        "polarity_text": POLARITY_WORDS.get(radiograph.polarity, "not stated"),
        "mm_per_px": pitch.mm_per_px if pitch else None,
        "pitch_source": pitch.source.value if pitch else None,
        "srb_um": None,
        "fields": dict(radiograph.fields),
        "notes": list(radiograph.notes),
    }
