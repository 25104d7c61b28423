import pytest

from core.domain.errors import BadInputError
from core.domain.reading import indication_from

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
