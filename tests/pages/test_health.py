"""The page Health, run by Streamlit's own test runner as an admin who is signed in."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app.admin.health import plots, rows
from app.shared.resources import Resources
from core.domain.accounts import Role
from core.services.health import HealthReport, Overview
from core.services.operations.alerts import Alert
from core.services.operations.minutes import Minute, Times
from tests.pages.browser import Browser, open_page

# AppTest's own event loop and sockets are closed by the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
NOW = datetime(2026, 5, 4, 12, 3, tzinfo=UTC)


def minute(ago: int, n: int = 1, n_failed: int = 0, **levels: float) -> Minute:
    """A minute with `n` requests of 1 ms, some that failed, and health checks beside them."""
    times = {
        "answer pixels": Times(n, n_failed, Counter({0: n})),
        "answer api health": Times(9, 9, Counter({0: 9})),
    }
    return Minute(NOW - timedelta(minutes=ago), times, levels)


def test_the_page_tells_state_parts_and_what_was_kept(
    workplace: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(workplace, monkeypatch)
    browser.sign_in(browser.account("head", Role.ADMIN))
    now = datetime.now(UTC)
    workplace.services.tally.ran("history", 0.2)
    workplace.services.minute_files.append(workplace.services.tally.take(now, {"analysis_queue": 2}))
    page = open_page("health.py")
    assert not page.exception
    drawn = " ".join(str(one.proto.body) for one in page.get("html"))
    assert "no alert" in drawn
    assert "<dt>Database</dt><dd>works</dd>" in drawn
    assert "<dt>Waiting</dt><dd>2 images</dd>" in drawn
    assert "page runs 212 ms" in drawn  # the bound above 200 ms
    assert len(page.get("plotly_chart")) == 3


def test_an_alert_takes_the_green_away() -> None:
    report = HealthReport(True, {"status": "ok", "uptime_s": 60})
    calm = rows.headline(Overview(NOW, report, (), ()))
    assert (calm["status"], calm["word"]) == ("ok", "Everything works")
    alerted = rows.headline(Overview(NOW, report, (), (Alert("RadikalBackupOld", False, "old"),)))
    assert (alerted["status"], alerted["word"]) == ("degraded", "It works, and needs a look")
    assert alerted["said"].startswith("1 alert")


def test_requests_are_summed_by_step_without_health_checks() -> None:
    figure = plots.requests(plots.by_step([minute(1, 5, 2), minute(2, 1), minute(9, 3)], NOW))
    answered, failed = figure.data
    assert (sum(answered.y), sum(failed.y)) == (7, 2)
    assert [n for n in answered.y if n] == [3, 4]
    assert figure.layout.meta == "9 requests, 2 of them failed"


def test_a_time_in_which_nothing_served_is_grey_and_the_running_step_is_not() -> None:
    served = [minute(ago) for ago in range(4, 24 * 60 + 4) if not 60 <= ago < 80]
    figure = plots.times(plots.by_step(served, NOW))
    (gap,) = figure.layout.shapes
    assert (gap.x0, gap.x1) == (
        datetime(2026, 5, 4, 10, 45, tzinfo=UTC),
        datetime(2026, 5, 4, 11, 0, tzinfo=UTC),
    )


def test_the_last_hour_is_shown_by_the_minute() -> None:
    hour = plots.SPANS[0]
    steps = plots.by_step([minute(1, 5), minute(59, 4), minute(70, 9)], NOW, hour)
    figure = plots.requests(steps)
    assert (len(steps.begins), figure.layout.meta) == (61, "9 requests, 0 of them failed")
    assert figure.layout.yaxis.title.text == "in a minute"


def test_of_what_waited_the_most_is_told() -> None:
    figure = plots.waiting(plots.by_step([minute(1, analysis_queue=3), minute(2, analysis_queue=7)], NOW))
    assert figure.layout.meta == "At most 7 waited at once"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 seconds"), (59.9, "59 seconds"), (60, "1 minute"), (7200, "2 hours"), (86_400, "1 day")],
)
def test_a_length_of_time_is_told_in_its_largest_unit(seconds: float, told: str) -> None:
    assert rows.lasting(seconds) == told


def test_a_gpu_is_told_with_its_memory() -> None:
    content = {"models": {}, "device": "cuda", "gpu": {
        "present": True, "name": "H200", "memory_free_mib": 1024, "memory_total_mib": 2048}}  # fmt: skip
    assert rows.serving(content, None) == {"Device": "cuda, H200, 1.0 of 2.0 GiB free"}
    content["gpu"] |= {"use": 0.25}
    assert rows.serving(content, None) == {"Device": "cuda, H200, 25% in use, 1.0 of 2.0 GiB free"}
