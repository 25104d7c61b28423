import pytest

from core.domain.errors import BadInputError
from core.domain.reading import Call, DismissalKind, indication_from

BOX = {"id": "h2", "bbox": [1, 2, 3, 4], "class": "porosity", "source": "human", "call": "confirmed"}


def test_a_kept_indication_is_read_as_it_was() -> None:
    one = indication_from(BOX)
    assert (one.indication_id, one.model_index, one.bbox) == ("h2", None, (1.0, 2.0, 3.0, 4.0))
    assert indication_from(one.to_box()) == one


@pytest.mark.parametrize(
    ("name", "index"), [("m3", 1), ("h1", 0), ("m1", None), ("x", None), ("h", None), ("h-1 ", None), ("", 4)]
)
def test_an_id_that_does_not_say_whose_indication_it_is_is_refused(name: str, index: int | None) -> None:
    with pytest.raises(BadInputError, match="indication"):
        indication_from({**BOX, "id": name, "model_index": index})


def test_a_dismissal_has_a_kind_that_goes_when_it_is_not_dismissed_any_more() -> None:
    dismissed = {**BOX, "call": "dismissed", "dismissed_as": "geometry"}
    one = indication_from(dismissed)
    assert (one.dismissed_as, one.call_words) == (DismissalKind.GEOMETRY, "dismissed: geometry")
    assert indication_from(one.to_box()) == one
    assert indication_from({**dismissed, "call": "confirmed"}).dismissed_as is None
    assert "dismissed_as" not in indication_from(BOX).to_box()  # as earlier releases wrote and signed it
    with pytest.raises(BadInputError, match="not an indication"):
        indication_from({**dismissed, "dismissed_as": "boredom"})


@pytest.mark.parametrize("kind", [None, *DismissalKind])
def test_the_detector_learns_from_what_was_its_error(kind: DismissalKind | None) -> None:
    one = indication_from({**BOX, "call": "dismissed", "dismissed_as": kind and kind.value})
    is_in_the_part = kind in (DismissalKind.NON_RELEVANT, DismissalKind.GEOMETRY)
    assert one.is_detector_error is not is_in_the_part
    assert not indication_from({**BOX, "call": Call.OPEN.value}).is_detector_error
