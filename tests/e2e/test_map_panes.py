"""Maps side by side in a real browser: what is done to one is done to all."""

import pytest
from playwright.sync_api import Browser

from tests.e2e.viewer_page import run_pure

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]

#: Shows two panes, does what the argument names to the second, and tells how each lies then.
SCRIPT = """
  (acts) => {
    const parent = document.body.appendChild(document.createElement("div"));
    parent.innerHTML = '<div class="panes"></div>';
    const pane = (title) => ({ title, lines: ["weak"], overlay: null, box: [0.25, 0.25, 0.5, 0.5] });
    const panes = [pane("one"), pane("other")];
    const data = { panes, picture: "data:,", width: 40, height: 20 };
    window.default({ data, parentElement: parent, setStateValue() {}, setTriggerValue() {} });
    const stages = [...parent.querySelectorAll(".stage")];
    for (const { style } of stages) Object.assign(style, { width: "200px", height: "100px" });
    for (const [kind, options] of acts) {
      const Kind = { wheel: WheelEvent, keydown: KeyboardEvent }[kind] ?? MouseEvent;
      const { left, top, width, height } = stages[1].getBoundingClientRect();
      const middle = { clientX: left + width / 2, clientY: top + height / 2 };
      stages[1].dispatchEvent(new Kind(kind, { ...middle, cancelable: true, ...options }));
    }
    return [...parent.querySelectorAll(".sheet")].map((sheet) => sheet.style.transform);
  }
"""


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([], "translate(0%, 0%) scale(1)"),
        ([["wheel", {"deltaY": -1}]], "translate(-12.5%, -12.5%) scale(1.25)"),
        (
            [["keydown", {"key": "+"}], ["keydown", {"key": "ArrowLeft"}]],
            "translate(-2.5%, -12.5%) scale(1.25)",
        ),
        ([["keydown", {"key": "+"}], ["dblclick", {}]], "translate(0%, 0%) scale(1)"),
        ([["wheel", {"deltaY": 1}], ["keydown", {"key": "ArrowDown"}]], "translate(0%, 0%) scale(1)"),
    ],
)
def test_all_panes_move_as_one(chromium: Browser, acts: list[list[object]], expected: str) -> None:
    page = chromium.new_page()
    assert run_pure(page, ("map_panes/map_panes.js",), SCRIPT, acts) == [expected, expected]
    page.close()
