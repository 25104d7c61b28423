"""Label: the boxes of one radiograph, corrected by keyboard, saved with every edit."""

from app.label.actions import image_on_show
from app.label.browse.actions import walk_on
from app.label.importing.render import draw_import
from app.label.importing.state import is_on_show
from app.label.render import draw_image, draw_nothing
from app.shared.access import require_page


def draw() -> None:
    """Draw the page."""
    identity = require_page("label")
    walk_on(identity)
    if is_on_show():
        draw_import(identity)
    elif image_on_show(identity) is None:
        draw_nothing(identity)
    else:
        draw_image()


draw()
