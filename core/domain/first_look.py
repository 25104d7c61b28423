"""A first look without the model: what the person marked, and how it goes together with the model's list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.grouping import counted
from core.domain.indication import IndicationClass
from core.domain.reading import Call, ReadIndication, first_reading, group_ids, indication_from
from core.domain.reading_comparison import partners


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was found before the model was shown.

    Attributes:
        boxes: the indications as the person had marked them.
        pairs: id of the person's and id of the model's indication at one place.
        n_model: indications that the model reports at or above its operating point.
        n_same: those of them that the person had marked, too.
        done_at: when the look was marked as done, ISO 8601, UTC.
    """

    boxes: tuple[ReadIndication, ...]
    pairs: tuple[tuple[str, str], ...]
    n_model: int
    n_same: int
    done_at: str

    @property
    def words(self) -> str:
        """Such as "3 indications marked before the model was shown; the model reports 5, 2 the same"."""
        n = len(counted(self.boxes))
        marked = f"{n} indication{'' if n == 1 else 's'} marked before the model was shown"
        return f"{marked}; the model reports {self.n_model}, {self.n_same} the same"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; `first_look_from` reads it back."""
        return {
            "boxes": [one.to_box() for one in self.boxes],
            "pairs": [list(pair) for pair in self.pairs],
            "n_model": self.n_model,
            "n_same": self.n_same,
            "done_at": self.done_at,
        }


def first_look_from(content: Mapping[str, Any]) -> FirstLook:
    """The first look that `FirstLook.to_dict` wrote."""
    return FirstLook(
        tuple(indication_from(box) for box in content["boxes"]),
        tuple((own, model) for own, model in content["pairs"]),
        int(content["n_model"]),
        int(content["n_same"]),
        str(content["done_at"]),
    )


def own_of(reading: Sequence[ReadIndication]) -> tuple[ReadIndication, ...]:
    """The indications that the person added."""
    return tuple(one for one in reading if one.model_index is None)


def unveiled(
    detections: Sequence[Mapping[str, Any]],
    operating_probability: float,
    marked: Sequence[ReadIndication],
    *,
    done_at: str,
) -> tuple[FirstLook, tuple[ReadIndication, ...]]:
    """The first look, and the reading that goes on from it, in which nothing stands twice.

    An indication of the person at the place of one of the model's becomes that one, confirmed, with the
    person's box, class, kind and note; a class that is not specified takes the model's. Groups stay the
    person's own, their members are paired like others. The pairs are those of a second person's reading,
    with what the model reports before what it does not.

    Args:
        detections: every box of the model.
        operating_probability: the model reports boxes from here on.
        marked: the person's indications.
        done_at: the moment, ISO 8601.
    """
    reported = first_reading(detections, operating_probability)
    every = first_reading(detections, 0.0)
    groups = group_ids(marked)
    single = [one for one in marked if one.indication_id not in groups]
    found = {single[i]: reported[k] for i, k in partners(single, reported).items()}
    alone, below = [one for one in single if one not in found], [one for one in every if one not in reported]
    found |= {alone[i]: below[k] for i, k in partners(alone, below).items()}
    reported_ids = {one.indication_id for one in reported}
    look = FirstLook(
        tuple(marked),
        tuple((own.indication_id, other.indication_id) for own, other in found.items()),
        len(reported),
        sum(other.indication_id in reported_ids for other in found.values()),
        done_at,
    )
    joined = {other.indication_id: _joined(own, other) for own, other in found.items()}
    reading = [joined.pop(one.indication_id, one) for one in reported]
    reading += [*joined.values(), *(one for one in marked if one not in found)]
    return look, tuple(reading)


def _joined(own: ReadIndication, other: ReadIndication) -> ReadIndication:
    """The model's indication as the person had marked it."""
    is_open_class = own.indication_class is IndicationClass.UNCLASSIFIED
    return replace(
        own,
        indication_id=other.indication_id,
        indication_class=other.indication_class if is_open_class else own.indication_class,
        source=other.source,
        call=Call.CONFIRMED,
        model_index=other.model_index,
        probability=other.probability,
    )
