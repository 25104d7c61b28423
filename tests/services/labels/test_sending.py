"""Images of a comparison sent to the queue: once, with who and why, and what cannot be sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.correction import FoundBox, Origin, Reason
from core.domain.errors import BadInputError
from core.domain.indication import IndicationClass
from core.services.evaluation.evaluation_sets import SetContent
from core.services.labels.sending import LONGEST_NOTE, MOST_IMAGES, LabelSending, SentImages
from core.store.evaluations import EvaluationSet
from core.store.queue import QueueFilter, QueueItem, QueueState
from tests.measured import add_set
from tests.records import add_user
from tests.workplace import close_workplace, make_workplace

BOX = FoundBox((10, 10, 30, 20), IndicationClass.POROSITY, 0.7, Origin.COMPARED, remark="v3: porosity")


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Resources]:
    held = make_workplace(tmp_path)
    yield held
    close_workplace(held)


@pytest.fixture
def chosen(held: Resources, tmp_path: Path) -> EvaluationSet:
    """Six frames, of which the first was handed in here, too."""
    added = add_set(held, tmp_path)
    content = held.services.evaluations.sets.content(added)
    held.services.workspace.images.add(COMMAND_LINE, path_of(content, 0).read_bytes(), "first.png")
    return added


@pytest.fixture
def engineer(held: Resources) -> Identity:
    return add_user(held.services.store, Role.ML_ENGINEER)


def path_of(content: SetContent, index: int) -> Path:
    return content.folder / content.images[index].file_name


def send(held: Resources, who: Identity, chosen: EvaluationSet, *digests: str, note: str = "") -> SentImages:
    sending: LabelSending = held.services.label_sending
    boxes = dict.fromkeys(digests, (BOX,))
    return sending.send(who, chosen, boxes, versions=(1, 3), operating_probability=0.5, note=note)


def queued(held: Resources, who: Identity) -> list[QueueItem]:
    return list(held.services.workspace.queue.page(who, QueueFilter(state=None)).items)


def test_images_are_queued_with_who_sent_them_and_those_of_the_set_alone_are_handed_in(
    held: Resources, chosen: EvaluationSet, engineer: Identity
) -> None:
    digests = held.services.evaluations.sets.content(chosen).digests
    sent = send(held, engineer, chosen, *digests[:3], note="  are these   pores? ")
    assert sent == SentImages(n_queued=3, n_open=0, n_taken_in=2, n_failed=0)
    page = held.services.workspace.queue.page(engineer, QueueFilter(reason=Reason.SENT))
    assert {one.image_sha256 for one in page.items} == set(digests[:3])
    (one, *_) = page.items
    assert one.sent
    assert (one.sent.sent_by, one.sent.versions, one.sent.set_name) == (
        engineer.user_id,
        (1, 3),
        "six frames",
    )
    assert one.sent.note == "are these pores?"
    assert one.boxes == (BOX,)
    assert page.names[engineer.user_id] == "Person 1"


def test_an_image_that_waits_is_left_out_and_one_that_was_done_is_queued_again(
    held: Resources, chosen: EvaluationSet, engineer: Identity
) -> None:
    first, second, *_ = held.services.evaluations.sets.content(chosen).digests
    send(held, engineer, chosen, first)
    assert send(held, engineer, chosen, first, second) == SentImages(1, 1, 1, 0)
    assert held.services.workspace.queue.skip_image(engineer, first, "all fine") == 1
    assert send(held, engineer, chosen, first) == SentImages(1, 0, 0, 0)
    states = [one.state for one in queued(held, engineer) if one.image_sha256 == first]
    assert sorted(states) == [QueueState.OPEN, QueueState.SKIPPED]


def test_a_file_that_was_changed_is_not_handed_in(
    held: Resources, chosen: EvaluationSet, engineer: Identity
) -> None:
    content = held.services.evaluations.sets.content(chosen)
    path = path_of(content, 1)
    path.write_bytes(path.read_bytes() + b"x")
    assert send(held, engineer, chosen, *content.digests[:2]) == SentImages(1, 0, 0, 1)
    assert [one.image_sha256 for one in queued(held, engineer)] == [content.digests[0]]


def test_what_cannot_be_sent_is_refused(held: Resources, chosen: EvaluationSet, engineer: Identity) -> None:
    first = held.services.evaluations.sets.content(chosen).digests[0]
    with pytest.raises(BadInputError, match="got 0"):
        send(held, engineer, chosen)
    with pytest.raises(BadInputError, match=f"1 to {MOST_IMAGES} images"):
        send(held, engineer, chosen, *(f"{n:064x}" for n in range(MOST_IMAGES + 1)))
    with pytest.raises(BadInputError, match="holds no such image"):
        send(held, engineer, chosen, "f" * 64)
    with pytest.raises(BadInputError, match=f"at most {LONGEST_NOTE} characters"):
        send(held, engineer, chosen, first, note="x" * (LONGEST_NOTE + 1))
    assert queued(held, engineer) == []
