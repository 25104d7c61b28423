"""Values of the templates of the page Explain."""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from app.shared.moments import minute
from core.domain.explanations import Method
from core.domain.reading import Call
from core.domain.similar import Similar, SimilarFound
from core.imaging.encode import encode_png

_MARKS = {Call.CONFIRMED: "rk-reject", Call.DISMISSED: "rk-muted"}


def similar_content(found: SimilarFound) -> dict[str, Any]:
    """Values of `similar.html`."""
    return {"words": found.words, "lines": [_similar_line(one) for one in found.found]}


def report_address(inspection_id: str, boxes: Sequence[int], methods: Sequence[Method]) -> str:
    """Where the PDF report of the inspection with maps of these boxes is."""
    query = {"boxes": ",".join(map(str, boxes)), "methods": ",".join(methods)}
    return f"/reports/{inspection_id}.pdf?{urlencode(query)}"


def _similar_line(one: Similar) -> dict[str, str]:
    decided = one.decided
    state = "signed" if decided.is_signed else "not signed yet"
    at = f"{minute(decided.decided_at)} UTC"
    return {
        "picture": f"data:image/png;base64,{base64.b64encode(encode_png(one.picture)).decode('ascii')}",
        "call": decided.words,
        "mark": _MARKS[decided.call],
        "likeness": f"likeness {one.likeness:.2f}",
        "who": decided.decided_by,
        "title": f"{decided.image_name}, indication {decided.indication_id}: {decided.words} by "
        f"{decided.decided_by}, {at}, {state}",
        "address": f"/history?{urlencode({'inspection': decided.inspection_id})}",
    }
