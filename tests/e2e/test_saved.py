# ruff: noqa: E501 - one case a line
"""How the viewer keeps a reading saved, in a real browser without a server: who was faster, undo, refusals."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.viewer_page import run_pure

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]

#: A Saved of plain texts; `there(version, content)` is what the server shows.
PRELUDE = """
  const sent = [];
  const saved = new Saved("t", JSON.stringify, { send: (event) => sent.push(event), changed: () => {} });
  const there = (version, content, more = {}, refused = {}) =>
    saved.update({ id: "i1", owner: "u1", version, content, isOpen: true, author: "B", savedAt: null, ...more }, refused);
  const now = () => ({ state: saved.state, content: saved.content, base: saved.base, sent: sent.map((e) => [e.base, e.content]) });
"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page()
    yield page
    page.close()


def after(page: Page, steps: str) -> dict[str, Any]:
    """How it stands after these steps."""
    return run_pure(page, ("radiograph_viewer/saved.js",), f"() => {{ {PRELUDE} {steps}; return now(); }}")


@pytest.mark.parametrize(
    ("steps", "state", "content", "base", "sent"),
    [
        ("there(0, 'a')", "saved", "a", 0, []),
        ("there(0, 'a'); saved.set('b')", "saving", "b", 0, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); there(0, 'a')", "saving", "b", 0, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); there(1, 'b')", "saved", "b", 1, [[0, "b"]]),
        # the next change waits for the answer to the one before
        ("there(0, 'a'); saved.set('b'); saved.set('c')", "saving", "c", 0, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); saved.set('c'); there(1, 'b')", "saving", "c", 1, [[0, "b"], [1, "c"]]),
        # somebody else saved: taken over where nothing of one's own is at stake, else both are kept
        ("there(0, 'a'); there(3, 'z')", "saved", "z", 3, []),
        ("there(0, 'a'); saved.set('b'); there(1, 'z')", "conflict", "b", 0, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); there(1, 'z'); saved.set('q')", "conflict", "b", 0, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); there(1, 'z'); saved.takeStored()", "saved", "z", 1, [[0, "b"]]),
        ("there(0, 'a'); saved.set('b'); there(1, 'z'); saved.saveMine()", "saving", "b", 1, [[0, "b"], [1, "b"]]),
        # another version of the same content is no conflict: ours goes on top
        ("there(0, 'a'); saved.set('b'); there(1, 'a')", "saving", "b", 1, [[0, "b"], [1, "b"]]),
        # the same change came from elsewhere
        ("there(0, 'a'); saved.set('b'); there(4, 'b')", "saved", "b", 4, [[0, "b"]]),
        # refused: kept, told, sent again on demand
        ("there(0, 'a'); saved.set('b'); there(0, 'a', {}, { edit: 't-1', message: 'no' })", "refused", "b", 0, [[0, "b"]]),
        (
            "there(0, 'a'); saved.set('b'); there(0, 'a', {}, { edit: 't-1', message: 'no' }); saved.retry()",
            "saving", "b", 0, [[0, "b"], [0, "b"]],
        ),
        # an old refusal says nothing about this change
        ("there(0, 'a'); saved.set('b'); there(0, 'a', {}, { edit: 't-9', message: 'no' })", "saving", "b", 0, [[0, "b"]]),
        # signed: nothing changes any more
        ("there(0, 'a', { isOpen: false }); saved.set('b')", "saved", "a", 0, []),
        ("there(0, 'a'); saved.set('b'); there(1, 'a', { isOpen: false })", "refused", "a", 1, [[0, "b"]]),
        # another image: what waited is sent on top of what is on its way
        (
            "there(0, 'a'); saved.set('b'); saved.set('c'); there(7, 'x', { id: 'i2' })",
            "saved", "x", 7, [[0, "b"], [1, "c"]],
        ),
    ],
)  # fmt: skip
def test_what_is_saved_and_what_is_in_conflict(
    page: Page, steps: str, state: str, content: str, base: int, sent: list[list[object]]
) -> None:
    assert after(page, steps) == {"state": state, "content": content, "base": base, "sent": sent}


def test_undo_and_redo_walk_through_the_changes_and_each_is_saved(page: Page) -> None:
    found = run_pure(
        page,
        ("radiograph_viewer/reading.js",),
        """() => {
          const sent = [];
          const reading = new Reading({ send: (event) => sent.push(event.content.length), changed: () => {} });
          const d = { n: 1, box: [1, 1, 9, 9], class: "crack", score: 0.9, probability: 0.9 };
          const m1 = { id: "m1", bbox: d.box, class: "crack", source: "model", call: "open", model_index: 0, probability: 0.9, iso6520: null, note: "" };
          const there = (version, indications) => reading.update({ inspection_id: "i", owner: "u", version, indications, is_open: true, operating_probability: 0.5 }, [d]);
          there(0, [m1]);
          const calls = () => reading.entries().map((e) => `${e.n} ${e.call}`).join();
          const steps = [calls()];
          reading.dismiss([1]); steps.push(calls());
          reading.add([3, 3, 5, 5]); steps.push(calls());
          reading.undo(); steps.push(calls());
          reading.undo(); steps.push(calls());
          reading.redo(); reading.redo(); steps.push(calls());
          reading.dismiss([2]); steps.push(calls());
          return steps;
        }""",
    )
    both = "1 dismissed,2 confirmed"
    assert found == ["1 open", "1 dismissed", both, "1 dismissed", "1 open", both, "1 dismissed"]


def test_what_was_sent_again_after_a_long_wait_is_still_recognised_as_ones_own(page: Page) -> None:
    late = "const later = []; window.setTimeout = (act) => later.push(act);"
    asked = "there(0, 'a'); saved.set('b'); saved.set('c'); later.pop()();"
    found = run_pure(
        page,
        ("radiograph_viewer/saved.js",),
        f"() => {{ {late} {PRELUDE} {asked} there(1, 'b'); const then = now(); there(2, 'c'); "
        "return [then, now()]; }",
    )
    # the first change was stored in the meantime: no conflict, the second one goes on top of it
    assert found[0]["sent"] == [[0, "b"], [0, "c"], [1, "c"]]
    assert [one["state"] for one in found] == ["saving", "saved"]
