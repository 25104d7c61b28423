"""The route of an image in a real browser: not told as shipped, told once a certificate is kept."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from core.calibrate.routing_certificate import certify
from tests.calibrate.certificates import certificate, subject
from tests.e2e.inspected import services_of
from tests.e2e.serving import Served
from tests.e2e.test_reading import inspector, opened

pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def _verdict_tab(page: Page) -> None:
    page.locator("[data-tab=verdict][role=tab]").click()


def _keep_a_certificate(server: Served) -> None:
    """One that knows sixty invented parts, for the weld champion."""
    with services_of(server) as services:
        version, _ = services.registry.resolve("weld")
        about = subject(
            model=version.name,
            version=version.version,
            model_sha256=version.sha256,
            calibration_id=version.calibration.calibration_id,
            operating_probability=version.calibration.operating_probability,
        )
        pattern = certificate()
        services.routing.certificates.save(
            certify(about, pattern.level, pattern.parts, made_at=pattern.made_at)
        )


def test_the_route_is_told_folded_and_never_presses_a_disposition(
    chromium: Browser, server: Served, repository: Path
) -> None:
    with inspector(chromium, server, "r.oute") as context:
        page = opened(context, upload=repository / "data" / "samples" / "lack_of_fusion.png")
        _verdict_tab(page)
        route = page.locator(".verdict-page .route")
        expect(route).to_have_count(0)
        _keep_a_certificate(server)
        page.reload()
        _verdict_tab(page)
        expect(route.locator("summary")).to_have_text("routing: reject")
        expect(route.locator("p").last).not_to_be_visible()
        route.locator("summary").click()
        expect(route.locator("p").last).to_contain_text("neither the verdict of a rule nor a disposition")
        expect(page.locator("[data-disposition][aria-pressed=true]")).to_have_count(0)
