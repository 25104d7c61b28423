"""Embedded fonts of PDF reports: every letter is printed, or its number where no font has it."""

import lzma
import threading
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib.fonts import addMapping
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

SANS, SANS_BOLD, FALLBACK = "RadiKal-Sans", "RadiKal-Sans-Bold", "RadiKal-Fallback"
_FOLDER = Path(__file__).with_name("fonts")
_FILES = {
    SANS: "DejaVuSans.ttf.xz",
    SANS_BOLD: "DejaVuSans-Bold.ttf.xz",
    FALLBACK: "DroidSansFallback.ttf.xz",
}
_lock = threading.Lock()


def register_fonts() -> None:
    """Make the fonts known to reportlab; done once, safe to call from several threads."""
    with _lock:
        if SANS in pdfmetrics.getRegisteredFontNames():
            return
        for name in (SANS_BOLD, FALLBACK, SANS):
            unpacked = BytesIO(lzma.decompress((_FOLDER / _FILES[name]).read_bytes()))
            pdfmetrics.registerFont(TTFont(name, unpacked))
        for bold in (0, 1):
            for italic in (0, 1):
                addMapping(SANS, bold, italic, SANS_BOLD if bold else SANS)
                addMapping(FALLBACK, bold, italic, FALLBACK)


def marked(text: str) -> str:
    """`text` as the content of a paragraph: escaped, lines kept, letters that the main font lacks in another.

    A letter that no font has is written as its number, such as [U+0E01], so that nothing is lost unseen.
    """
    register_fonts()
    parts: list[str] = []
    for run, is_fallback in _runs(text):
        escaped = escape(run).replace("\n", "<br/>")
        parts.append(f'<font name="{FALLBACK}">{escaped}</font>' if is_fallback else escaped)
    return "".join(parts)


def _runs(text: str) -> list[tuple[str, bool]]:
    """Pieces of the text, each with whether it needs the fallback font."""
    runs: list[tuple[str, bool]] = []
    for letter in text.replace("\r\n", "\n").replace("\t", "    "):
        piece, is_fallback = letter, False
        if letter != "\n" and ord(letter) not in _letters(SANS):
            is_fallback = ord(letter) in _letters(FALLBACK)
            piece = letter if is_fallback else f"[U+{ord(letter):04X}]"
        if runs and runs[-1][1] == is_fallback:
            runs[-1] = (runs[-1][0] + piece, is_fallback)
        else:
            runs.append((piece, is_fallback))
    return runs


@cache
def _letters(font: str) -> frozenset[int]:
    """Code points that the font draws and that a paragraph may hold."""
    drawn = pdfmetrics.getFont(font).face.charToGlyph
    return frozenset(code for code, glyph in drawn.items() if glyph and code >= ord(" ") and code != 0x7F)
