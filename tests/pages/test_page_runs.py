"""Session look-ups and database transactions of one run of a page, counted."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest
from sqlalchemy import event
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest, local_script_runner

from app.inspection.state import analyses, intake
from app.shared.resources import Resources
from app.shared.worklist import worklists
from core.domain.accounts import Role
from core.domain.radiograph import Polarity
from core.services.accounts.signing_in import SignInService
from tests.pages.browser import Browser, open_page
from tests.workplace import incoming, radiograph_png

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

N_IMAGES = 20
_BACKGROUND = ("analysis", "intake")


@dataclass
class Counts:
    """Session look-ups and transactions so far."""

    look_ups: int = 0
    transactions: int = 0


@pytest.fixture
def browser(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Browser:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("inspector", Role.INSPECTOR))
    return browser


@pytest.fixture
def counted(workplace: Resources, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Counts]:
    """A context that counts within it; threads that work beside the script are left out."""

    @contextmanager
    def counting() -> Iterator[Counts]:
        counts, who = Counts(), SignInService.who

        def looked_up(*args: object, **named: object) -> object:
            counts.look_ups += 1
            return who(*args, **named)

        def begun(_connection: object) -> None:
            counts.transactions += not threading.current_thread().name.startswith(_BACKGROUND)

        with monkeypatch.context() as patch:
            patch.setattr(SignInService, "who", looked_up)
            event.listen(workplace.services.database, "begin", begun)
            try:
                yield counts
            finally:
                event.remove(workplace.services.database, "begin", begun)

    return counting


def full_worklist(held: Resources, browser: Browser) -> AppTest:
    """The inspection page with images that were all read and analysed."""
    identity = held.services.signing_in.who(next(iter(browser.cookies.values())))
    assert identity is not None
    for seed in range(N_IMAGES):
        intake().receive(
            worklists().of(identity),
            identity,
            incoming(f"part {seed}.png", radiograph_png(seed)),
            Polarity.UNKNOWN,
        )
    page, end = open_page(), time.monotonic() + 120
    while any(answer.result is None for answer in analyses()._answers.values()) or (
        len(analyses()._answers) < N_IMAGES
    ):
        assert time.monotonic() < end
        time.sleep(0.1)
        page.run()
    return page.run()


def run_fragments(page: AppTest, patch: pytest.MonkeyPatch) -> None:
    """Run what the page runs again by itself, without the rest of the page, as the browser's timer asks."""
    fragments = list(page._fragment_storage._fragments)
    assert len(fragments) == 1
    with patch.context() as only:
        only.setattr(local_script_runner, "RerunData", partial(RerunData, fragment_id_queue=fragments))
        page.run()


def test_a_run_of_the_page_looks_the_session_up_once(
    workplace: Resources, browser: Browser, counted: Callable[[], Counts]
) -> None:
    page = full_worklist(workplace, browser)
    with counted() as counts:
        page.run()
    assert not page.exception
    assert page.get("bidi_component")
    assert counts.look_ups == 1
    assert counts.transactions <= 8


def test_a_poll_of_the_viewer_takes_two_transactions(
    workplace: Resources,
    browser: Browser,
    counted: Callable[[], Counts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = full_worklist(workplace, browser)
    with counted() as counts:
        run_fragments(page, monkeypatch)
    assert not page.exception
    assert page.get("bidi_component")
    assert (counts.look_ups, counts.transactions) == (1, 2)


def test_a_revoked_session_is_refused_when_the_viewer_polls_next(
    workplace: Resources, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = full_worklist(workplace, browser)
    workplace.services.signing_in.sign_out(next(iter(browser.cookies.values())))
    run_fragments(page, monkeypatch)
    assert not page.exception
    assert "inspection.viewer" not in [one.key for one in page.get("bidi_component")]
    assert [field.label for field in page.text_input] == ["Name", "Password"]
