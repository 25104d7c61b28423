"""The viewer looks for news while there are any, and a little longer."""

from app.inspection.state import POLLS_ON_S, InspectionPageState


def test_it_polls_while_something_is_pending_and_a_while_after_it() -> None:
    page = InspectionPageState()
    assert not page.polls(is_pending=False, now=100.0)
    assert page.polls(is_pending=True, now=100.0)
    assert page.polls(is_pending=True, now=500.0)
    assert page.polls(is_pending=False, now=500.0 + POLLS_ON_S - 0.1)
    assert not page.polls(is_pending=False, now=500.0 + POLLS_ON_S)
