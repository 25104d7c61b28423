"""The image-quality gate of an inspection: made at its beginning, again with its basis, never once signed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.accounts import Identity
from core.domain.errors import BadInputError, ImmutableRecordError, StaleVersionError
from core.domain.radiograph import Polarity, Radiograph
from core.domain.reading import Setup, setup_from
from core.domain.records import Disposition, Inspection
from core.domain.wire_sets import WIRE_DIAMETERS_MM, wires_of_set
from core.services.inspections.inspecting import Decision
from core.services.inspections.judging import failed_checks
from core.services.workspaces import Workspace, make_workspace
from core.store.blobs import BlobNotFoundError
from core.store.record_tables import AuditEventRow
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.records import PASSWORD, OnePassword, add_user, detection_result
from tests.services.exposures import exposure, jpeg, png

MM_PER_PX = 0.05
W10 = Setup(part="flange 7", wire_set="W10 FE")


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Workspace:
    """An empty workspace in which people can sign."""
    return make_workspace("", store, tmp_path, accounts=OnePassword(), seal_key=b"k" * 32)


def film_with_wires() -> bytes:
    """A film with W10 to W16 and fine grain; W16 is lost in it."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:800, :1300].astype(np.float32)
    pixels = 60 + 80 * np.exp(-(((y - 400) / 120) ** 2)) + 8 * np.sin(x / 500)
    metal = np.zeros_like(pixels)
    for index, number in enumerate(wires_of_set(10)[:6]):
        away = x - (400 + 5.3 / MM_PER_PX * index + 0.02 * (y - 400))
        radius = WIRE_DIAMETERS_MM[number] / MM_PER_PX / 2
        metal += 2 * np.sqrt(np.clip(radius**2 - away**2, 0, None)) * MM_PER_PX
    metal[:100] = 0
    metal[700:] = 0
    pixels += 150 * cv2.GaussianBlur(metal, (0, 0), 1.2)
    pixels += cv2.GaussianBlur(rng.normal(0, 4.4, pixels.shape), (0, 0), 0.7)
    return png(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def inspected(
    place: Workspace, who: Identity, data: bytes, name: str, setup: Setup | None = None
) -> Inspection:
    """An inspection as the analysis records it."""
    film = place.images.add(who, data, name, polarity=Polarity.FILM)
    return recorded(place, who, film, setup or Setup())


def recorded(place: Workspace, who: Identity, film: Radiograph, setup: Setup, version: int = 2) -> Inspection:
    quality = place.image_quality.report(who, film, "weld", setup)
    result = replace(detection_result(film, version=version), name=place.images.name(film.sha256))
    return place.inspections.record(who, result, setup=setup, image_quality=quality)


def check(inspection: Inspection, kind: str) -> dict[str, Any]:
    assert inspection.image_quality is not None
    return next(one for one in inspection.image_quality["checks"] if one["kind"] == kind)


def decide(
    place: Workspace, who: Identity, inspection: Inspection, setup: Setup | None, **said: Any
) -> Inspection:
    return place.inspections.decide(
        who,
        inspection.inspection_id,
        Decision(said.get("disposition", inspection.disposition), note=said.get("note", ""), setup=setup),
        expected_version=inspection.version,
    )


def signed(place: Workspace, who: Identity, inspection: Inspection) -> Inspection:
    ready = decide(place, who, inspection, None, disposition=Disposition.REFER)
    place.signing_off.sign(
        who,
        ready.inspection_id,
        PASSWORD,
        expected_version=ready.version,
        expected_reading=0,
        address="127.0.0.1",
    )
    return place.inspections.get(who, ready.inspection_id)


def told(place: Workspace, action: str) -> list[dict[str, Any]]:
    """Details of every event of this action in the audit log."""
    with Session(place.store.engine) as session:
        query = select(AuditEventRow.details).where(AuditEventRow.action == action)
        return list(session.scalars(query.order_by(AuditEventRow.seq)))


def judged(place: Workspace, inspection: Inspection) -> tuple[str, ...]:
    """Why the verdict is withheld."""
    setup = setup_from(inspection.setup)
    return place.judging.judge((), setup, None, inspection.image_quality).withheld


# --- copies


def test_a_near_duplicate_fails_and_names_the_earlier_image(place: Workspace, inspector: Identity) -> None:
    first = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    copy = inspected(place, inspector, jpeg(exposure(1)), "copy.jpg")
    assert first.image_quality is not None
    assert first.image_quality["copy_of"] is None
    assert copy.image_quality is not None
    assert copy.image_quality["copy_of"] == first.image_sha256
    found = check(copy, "duplicate")
    assert found["state"] == "failed"
    assert f"weld 7.png, handed in on {first.created_at:%Y-%m-%d}" in found["message"]
    assert "Person 1" not in found["message"]
    assert found["message"] in judged(place, copy)


@ON_EACH_DATABASE
def test_the_same_file_is_noted_and_fails_nothing(
    place: Workspace, inspector: Identity, store: Store
) -> None:
    first = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    assert "before" not in check(first, "duplicate")["message"]
    again = inspected(place, add_user(store), png(exposure(1)), "other name.png")
    found, day = check(again, "duplicate"), f"{first.created_at:%Y-%m-%d}"
    assert found["state"] == "not evaluable"
    assert found["message"].endswith(
        f"This very file was handed in before, on {day}, and inspected once, last on {day}."
    )
    assert failed_checks(again.image_quality) == ()


def test_a_file_that_somebody_else_handed_in_and_nobody_inspected_is_noted(
    place: Workspace, inspector: Identity, store: Store
) -> None:
    place.images.add(inspector, png(exposure(1)), "weld 7.png", polarity=Polarity.FILM)
    again = inspected(place, add_user(store), png(exposure(1)), "weld 7.png")
    assert check(again, "duplicate")["message"].endswith(f"before, on {again.created_at:%Y-%m-%d}.")


def test_an_inspection_made_again_does_not_count_itself_nor_what_it_corrects(
    place: Workspace, inspector: Identity
) -> None:
    first = signed(place, inspector, inspected(place, inspector, png(exposure(1)), "weld 7.png"))
    revision = place.signing_off.revise(inspector, first.inspection_id)
    changed = decide(place, inspector, revision, W10)
    assert "inspected" not in check(changed, "duplicate")["message"]


# --- the setup


def test_stating_set_and_required_wire_makes_the_gate_again_and_the_verdict_follows(
    place: Workspace, inspector: Identity
) -> None:
    inspection = inspected(place, inspector, film_with_wires(), "film.png")
    assert "set and required wire are not stated" in check(inspection, "wire IQI")["message"]
    place.scales.set(inspector, inspection.image_sha256, known_mm=5, measured_px=100)
    inspection = place.inspections.get(inspector, inspection.inspection_id)
    assert inspection.version == 2
    passed = decide(place, inspector, inspection, replace(W10, required_wire=15))
    assert check(passed, "wire IQI")["state"] == "passed"
    assert "of W10 to W16: W15 (0.125 mm) is the smallest" in check(passed, "wire IQI")["message"]
    failed = decide(place, inspector, passed, replace(W10, required_wire=16), note="too thin")
    assert (failed.version, failed.note) == (4, "too thin")
    assert [one for one in judged(place, failed) if "W16 (0.1 mm) is required" in one]
    assert place.inspections.get(inspector, failed.inspection_id).image_quality == failed.image_quality
    assert [one["version"] for one in told(place, "inspection.quality_assessed")] == [2, 3, 4]
    assert told(place, "inspection.quality_assessed")[-1]["failed"] == ["wire IQI"]
    assert told(place, "inspection.quality_assessed")[-1]["basis"]["required_wire"] == 16


def test_a_setup_that_the_gate_does_not_rest_on_leaves_its_report(
    place: Workspace, inspector: Identity
) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    changed = decide(place, inspector, inspection, Setup(part="flange 7", wall_mm=10))
    assert changed.image_quality == inspection.image_quality
    assert told(place, "inspection.quality_assessed") == []


def test_the_resolution_normalises_the_noise(place: Workspace, inspector: Identity) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png", Setup(srb_mm=0.1))
    assert "SNRn" in check(inspection, "noise")["message"]
    assert "SNRn" not in check(decide(place, inspector, inspection, Setup()), "noise")["message"]


def test_a_required_wire_outside_of_the_set_is_refused_and_nothing_changes(
    place: Workspace, inspector: Identity
) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    with pytest.raises(BadInputError, match="not in the set"):
        decide(place, inspector, inspection, replace(W10, required_wire=7))
    assert place.inspections.get(inspector, inspection.inspection_id).version == 1


def test_without_its_file_nothing_of_the_change_is_stored(place: Workspace, inspector: Identity) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    place.blobs.path(inspection.image_sha256).unlink()
    place.images.forget(inspection.image_sha256)
    with pytest.raises(BlobNotFoundError):
        decide(place, inspector, inspection, W10)
    kept = place.inspections.get(inspector, inspection.inspection_id)
    assert (kept.version, kept.setup["wire_set"]) == (1, None)


# --- the scale


@ON_EACH_DATABASE
def test_a_scale_makes_the_gate_of_every_open_inspection_again_and_of_no_signed_one(
    place: Workspace, inspector: Identity, store: Store
) -> None:
    first = signed(place, inspector, inspected(place, inspector, png(exposure(1)), "weld 7.png"))
    film = place.images.load(first.image_sha256, polarity=Polarity.FILM)
    others = [recorded(place, who, film, Setup()) for who in (add_user(store), add_user(store))]
    place.scales.set(inspector, first.image_sha256, known_mm=1, measured_px=20)
    after = [place.inspections.get(inspector, one.inspection_id) for one in (first, *others)]
    assert after[0].image_quality == first.image_quality
    assert after[0].version == first.version
    for before, one in zip(others, after[1:], strict=True):
        assert one.image_quality is not None
        assert one.image_quality["basis"]["mm_per_px"] == pytest.approx(0.05)
        assert (one.version, one.updated_by) == (2, before.updated_by)
        assert "mm)" in check(one, "blur")["message"]
    assert len(told(place, "inspection.quality_assessed")) == 2
    assert len(told(place, "image.scale_set")) == 1


def test_who_looks_at_an_older_state_neither_decides_nor_signs_after_the_scale(
    place: Workspace, inspector: Identity
) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    place.scales.set(inspector, inspection.image_sha256, known_mm=1, measured_px=20)
    with pytest.raises(StaleVersionError):
        decide(place, inspector, inspection, W10)
    with pytest.raises(StaleVersionError):
        signed(place, inspector, inspection)


def test_where_the_gate_never_ran_a_scale_makes_no_report(place: Workspace, inspector: Identity) -> None:
    film = place.images.add(inspector, png(exposure(1)), "weld 7.png")
    inspection = place.inspections.record(inspector, detection_result(film))
    place.scales.set(inspector, film.sha256, known_mm=1, measured_px=20)
    kept = place.inspections.get(inspector, inspection.inspection_id)
    assert (kept.image_quality, kept.version) == (None, 1)


def test_when_others_decide_all_the_time_no_scale_is_stored(
    place: Workspace, inspector: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspection = inspected(place, inspector, png(exposure(1)), "weld 7.png")
    real = place.image_quality.remade

    def slow(kept: Inspection, setup: Setup, pitch: Any) -> dict[str, Any]:
        """Somebody else writes a note while the pixels are measured."""
        decide(place, inspector, kept, None, note=f"{kept.version}")
        return real(kept, setup, pitch)

    monkeypatch.setattr(type(place.image_quality), "remade", lambda _self, *args: slow(*args))
    with pytest.raises(StaleVersionError):
        place.scales.set(inspector, inspection.image_sha256, known_mm=1, measured_px=20)
    assert place.images.pitch(inspection.image_sha256) is None
    assert told(place, "image.scale_set") == []


def test_a_scale_set_during_the_analysis_counts_for_its_report(place: Workspace, inspector: Identity) -> None:
    film = place.images.add(inspector, png(exposure(1)), "weld 7.png", polarity=Polarity.FILM)
    quality = place.image_quality.report(inspector, film, "weld", Setup())
    place.scales.set(inspector, film.sha256, known_mm=1, measured_px=20)
    inspection = place.inspections.record(inspector, detection_result(film), image_quality=quality)
    fresh = place.image_quality.refresh(inspector, inspection)
    assert "mm)" in check(fresh, "blur")["message"]
    assert fresh.version == 2
    assert place.image_quality.refresh(inspector, fresh) is fresh


def test_a_report_is_not_written_over_a_signed_inspection(place: Workspace, inspector: Identity) -> None:
    first = signed(place, inspector, inspected(place, inspector, png(exposure(1)), "weld 7.png"))
    with pytest.raises(ImmutableRecordError), place.store.write() as work:
        work.inspections.save_image_quality(first, {"checks": []})
    with pytest.raises(ImmutableRecordError):
        decide(place, inspector, first, W10)
