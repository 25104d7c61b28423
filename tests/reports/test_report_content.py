import pytest

from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, number_of
from core.domain.records import AnnotationSource


@pytest.mark.parametrize(
    ("indication_id", "model_index", "number"),
    [("m1", 0, 1), ("m199", 198, 199), ("h1", None, 200), ("h12", None, 211)],
)
def test_an_indication_bears_the_number_that_the_page_shows(
    indication_id: str, model_index: int | None, number: int
) -> None:
    one = ReadIndication(
        indication_id,
        (0.0, 0.0, 4.0, 4.0),
        IndicationClass.POROSITY,
        AnnotationSource.HUMAN if model_index is None else AnnotationSource.MODEL,
        Call.CONFIRMED,
        model_index=model_index,
    )
    assert number_of(one, n_detections=199) == number
