"""People and inspections on a running server, made through the services beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from playwright.sync_api import Browser, Page

from core.config import Settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.radiograph import Polarity
from core.domain.reading import Call, Setup
from core.domain.records import Disposition
from core.services.inspections.inspecting import Decision
from tests.e2e.serving import PATIENCE_MS, Served
from tests.records import detection_result
from tests.workplace import radiograph_png

PASSWORD = "three pores in 4 welds"


@contextmanager
def services_of(server: Served) -> Iterator[Container]:
    """The services of another process on the server's store."""
    names = {key.lower(): value for key, value in server.environment.items()}
    with open_container(Settings(_env_file=None, **names)) as services:
        yield services


def add_person(services: Container, name: str, role: Role) -> Identity:
    """An account that has chosen its own password."""
    user = services.accounts.add(COMMAND_LINE, name, name.title(), role, PASSWORD).user
    with services.store.write() as work:
        work.users.set_password(user.user_id, work.users.password_hash(user.user_id), must_change=False)
    return Identity(user.user_id, name, role)


def inspect(services: Container, who: Identity, seed: int, part: str) -> str:
    """The id of an inspection of an image of noise, the same for the same seed."""
    images = services.workspace.images
    film = images.add(who, radiograph_png(seed, height=300, width=400), f"{part}.png", polarity=Polarity.FILM)
    result = replace(detection_result(film), name=f"{part}.png")
    return services.workspace.inspections.record(who, result, setup=Setup(part=part)).inspection_id


def sign(services: Container, who: Identity, inspection_id: str) -> None:
    """Confirm what the model reports, reject, sign."""
    workspace = services.workspace
    found = workspace.open_readings.open(who, inspection_id).reading.indications
    said = [replace(one, call=Call.CONFIRMED) for one in found]
    workspace.readings.save(who, inspection_id, said, expected_version=0)
    workspace.inspections.decide(who, inspection_id, Decision(Disposition.REJECT), expected_version=1)
    workspace.signing_off.sign(
        who, inspection_id, PASSWORD, expected_version=2, expected_reading=1, address="127.0.0.1"
    )


@contextmanager
def signed_in(chromium: Browser, server: Served, name: str, path: str) -> Iterator[Page]:
    """A browser of its own at this address; any error of a script fails the test."""
    errors: list[str] = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=server.address)
    context.set_default_timeout(PATIENCE_MS)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto(path)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    yield page
    context.close()
    assert not errors
