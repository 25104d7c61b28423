"""The campaigns of benchmarks/faults, each as short as it can be; `make soak` runs them in earnest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import (
    NotPossibleHereError,
    backups,
    clocks,
    disk,
    postgres,
    promotions,
    retrainings,
    servers,
    users,
)

pytestmark = pytest.mark.slow
Keep = Callable[[str, object], None]


def kept(figures: dict[str, Any], record_property: Keep) -> dict[str, Any]:
    """The same figures, now in the report of the tests."""
    for name, figure in figures.items():
        record_property(name, figure)
    return figures


def test_setting_the_date_loses_nothing(tmp_path: Path, record_property: Keep) -> None:
    figures = kept(clocks.run(tmp_path, 1), record_property)
    assert figures["acknowledged"] > 4
    assert figures["committed_unheard"] == 0


def test_a_full_disk_refuses_loses_nothing_and_is_over_when_there_is_room(
    tmp_path: Path, record_property: Keep
) -> None:
    try:
        figures = kept(disk.run(tmp_path, 1), record_property)
    except NotPossibleHereError as error:
        pytest.skip(str(error))
    assert figures["acts_refused"] > 0
    assert all("disk" in told for told in figures["told"])


def test_a_restart_of_postgresql_loses_nothing(
    postgres_binaries: Path, tmp_path: Path, record_property: Keep
) -> None:
    assert kept(postgres.run_restarts(tmp_path, 1), record_property)["acknowledged"] > 0


def test_a_failover_of_postgresql_loses_nothing(
    postgres_binaries: Path, tmp_path: Path, record_property: Keep
) -> None:
    assert kept(postgres.run_failovers(tmp_path, 1), record_property)["acknowledged"] > 0


def test_a_kill_while_backing_up_leaves_whole_backups_only(tmp_path: Path, record_property: Keep) -> None:
    assert kept(backups.run(tmp_path, 2), record_property)["backups_acknowledged"] > 1


def test_a_kill_while_backing_up_postgresql_leaves_whole_backups_only(
    postgres_binaries: Path, tmp_path: Path, record_property: Keep
) -> None:
    assert kept(backups.run_postgresql(tmp_path, 2), record_property)["backups_acknowledged"] > 1


def test_a_kill_while_promoting_leaves_registry_history_and_log_at_one(
    tmp_path: Path, record_property: Keep
) -> None:
    assert kept(promotions.run(tmp_path, 2), record_property)["moves_acknowledged"] > 0


def test_a_retraining_that_is_killed_is_resumed_and_registers_one_version(
    tmp_path: Path, record_property: Keep
) -> None:
    assert kept(retrainings.run(tmp_path, 1), record_property)["versions_registered"] == 1


def test_two_servers_on_one_database_agree(tmp_path: Path, record_property: Keep) -> None:
    assert kept(servers.run(tmp_path, 1), record_property)["jobs_done_once"] == 1


def test_people_at_work_at_once_all_get_their_pages(tmp_path: Path, record_property: Keep) -> None:
    figures = kept(users.run_users(tmp_path, 1), record_property)
    assert figures["pages_drawn"] > 0
    assert figures["failures"] == {}


def test_open_tabs_are_all_served(tmp_path: Path, record_property: Keep) -> None:
    assert kept(users.run_tabs(tmp_path, 4), record_property)["pages_drawn"] == 8
