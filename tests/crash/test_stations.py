"""A station sends a hundred DICONDE files while what takes and reads them is killed twice: none is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pynetdicom import AE
from pynetdicom.sop_class import DigitalXRayImageStorageForPresentation

from core.config import Settings
from core.container import open_container
from core.domain.accounts import Role
from core.store.inspection_history import HistoryFilter
from tests.artefacts import write_artefact
from tests.conftest import REPOSITORY
from tests.e2e.serving import free_port
from tests.empty_stores import copy_empty_database, copy_empty_mlflow
from tests.imaging.pictures import write_dicom
from tests.records import add_user

N_FILES, KILLED_AFTER, LIMIT_S = 100, (20, 60), 300.0
# The station's side leaves a socket of each refused connection to the garbage collector.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


class Station:
    """Sends objects, and sends again what was not acknowledged, as stations do."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._entity = AE(ae_title="CR7")
        self._entity.connection_timeout = self._entity.acse_timeout = self._entity.dimse_timeout = 5
        self._entity.add_requested_context(DigitalXRayImageStorageForPresentation)

    def send(self, dataset: pydicom.Dataset) -> None:
        end = time.monotonic() + LIMIT_S
        while time.monotonic() < end:
            association = self._entity.associate("127.0.0.1", self._port, ae_title="RADIKAL")
            if association.is_established:
                status = association.send_c_store(dataset)
                association.release()
                if status and status.Status == 0x0000:
                    return
            time.sleep(0.3)
        raise AssertionError("the storage service did not come back")


def film(number: int) -> pydicom.Dataset:
    noise = np.random.default_rng(number).integers(0, 4_000, (96, 128), dtype=np.uint16)
    dataset = pydicom.dcmread(BytesIO(write_dicom(noise, PatientName=f"Vessel {number}")))
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number}"
    return dataset


def test_each_of_a_hundred_files_is_read_once_although_both_are_killed_twice(tmp_path: Path) -> None:
    arriving, port = tmp_path / "arriving", free_port()
    arriving.mkdir()
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": copy_empty_database(tmp_path / "radikal.db"),
        "MLFLOW_TRACKING_URI": copy_empty_mlflow(tmp_path / "mlflow.db"),
    }
    settings = Settings(_env_file=None, **{key.lower(): value for key, value in variables.items()})
    with open_container(settings) as services:
        services.registry.register(write_artefact(tmp_path / "weld", score_spread=0.3), alias="champion")
        inspector = add_user(services.store, Role.INSPECTOR, "line3")

    def started(*arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from core.cli import main; main()", *map(str, arguments)]
        environment = os.environ | variables
        return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL)

    def both() -> list[subprocess.Popen[bytes]]:
        account = ("--as", "line3", "--model", "weld", "--polarity", "film")
        watching = started("watch", arriving, *account, "--every", 0.2)
        return [started("receive", arriving, "--from", "CR7", "--port", port), watching]

    running, station = both(), Station(port)
    try:
        for number in range(N_FILES):
            if number in KILLED_AFTER:
                for one in running:
                    one.send_signal(signal.SIGKILL)
                    one.wait()
                running = both()
            station.send(film(number))
        end = time.monotonic() + LIMIT_S
        while len(list(arriving.glob("*.radikal.json"))) < N_FILES and time.monotonic() < end:
            time.sleep(0.5)
    finally:
        for one in running:
            one.send_signal(signal.SIGTERM)
            assert one.wait(60) == 0
    results = [json.loads(path.read_text()) for path in arriving.glob("*.radikal.json")]
    ids = {entry["inspection_id"] for one in results for entry in one["radiographs"]}
    assert (len(results), len(ids)) == (N_FILES, N_FILES)
    assert len(list(arriving.glob("1.2.*[0-9].dcm"))) == N_FILES
    with open_container(settings) as services:
        found = services.workspace.history.search(inspector, HistoryFilter(), limit=200)
        assert {one.inspection_id for one in found.entries} == ids
        assert services.workspace.inspections.get(inspector, next(iter(ids))).opened_at is not None
