"""`radikal user` and the first admin of `radikal setup`, as their users run them."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select

import core.setting_up
from core.cli import main
from core.config import load_settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import SignInRefusedError
from core.services.accounts.certificates import is_certificate_required
from core.store.record_tables import AuditEventRow
from tests.conftest import ON_EACH_DATABASE

PASSWORD, OTHER = "three pores in 4 welds", "one crack in 7 castings"
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(core.setting_up, "CHECKPOINTS", tmp_path / "no-models")

    def call(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, input=typed)

    return call


@pytest.fixture
def with_inspector(run: Run) -> Run:
    """A database with an admin and the inspector a.inspector."""
    services = Container(load_settings(None), hash_cost=4)
    services.accounts.add(COMMAND_LINE, "admin", "Administrator", Role.ADMIN, PASSWORD)
    services.accounts.add(COMMAND_LINE, "a.inspector", "Ann Inspector", Role.INSPECTOR, PASSWORD)
    services.close()
    return run


def users(run: Run) -> dict[str, dict]:
    result = run("user", "list", "--json")
    assert result.exit_code == 0, result.output
    return {row["name"]: row for row in json.loads(result.stdout)}


def signs_in(name: str, password: str) -> bool:
    with open_container(load_settings(None)) as services:
        signing_in = services.signing_in
        try:
            signing_in.exchange(signing_in.verify(name, password, "192.0.2.1"), "Browser")
        except SignInRefusedError:
            return False
    return True


def printed_password(result: Result) -> str:
    found = re.search(r"(?:password: |first sign-in: admin / )(\S+)", result.stdout)
    assert found, result.output
    return found[1]


def is_one_line(result: Result, says: str) -> bool:
    return (
        result.exit_code == 2
        and result.stderr.count("\n") == 1
        and says in result.stderr
        and not result.stdout
    )


@ON_EACH_DATABASE
def test_setup_prints_the_first_admin_once(run: Run) -> None:
    first, second = run("setup", "--demo"), run("setup", "--demo")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert signs_in("admin", printed_password(first))
    assert "must be changed" in first.stdout
    assert "admin" not in second.output
    assert list(users(run)) == ["admin"]
    assert users(run)["admin"]["must_change_password"]


def test_setup_makes_no_admin_where_accounts_are(run: Run) -> None:
    run("user", "add", "head", "--role", "admin")
    assert "first sign-in" not in run("setup").output


def test_a_generated_password_is_printed_and_lets_in(run: Run) -> None:
    added = run("user", "add", "b.reviewer", "--role", "reviewer")
    assert added.exit_code == 0, added.output
    assert signs_in("b.reviewer", printed_password(added))
    assert users(run)["b.reviewer"]["full_name"] == "b.reviewer"


def test_a_password_from_standard_input_is_not_printed(with_inspector: Run) -> None:
    changed = with_inspector(
        "user", "password", "a.inspector", "--password-stdin", typed="one crack in 7 castings"
    )
    assert changed.exit_code == 0, changed.output
    assert "crack" not in changed.output
    assert signs_in("a.inspector", OTHER)
    assert not signs_in("a.inspector", PASSWORD)


def test_a_new_password_ends_the_lock_out(with_inspector: Run) -> None:
    for _ in range(6):
        assert not signs_in("a.inspector", "a wrong guess 1")
    assert not signs_in("a.inspector", PASSWORD)
    assert signs_in("a.inspector", printed_password(with_inspector("user", "password", "a.inspector")))


@ON_EACH_DATABASE
def test_the_list_says_who_is_signed_in(with_inspector: Run) -> None:
    assert signs_in("a.inspector", PASSWORD)
    row = users(with_inspector)["a.inspector"]
    assert (row["role"], row["state"], row["n_sessions"]) == ("inspector", "active", 1)
    assert row["signed_in_at"].endswith("+00:00")
    table = with_inspector("user", "list").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["NAME", "a.inspector", "admin"]
    assert table[2].split()[3] == "never"


def test_disable_and_enable(with_inspector: Run) -> None:
    assert signs_in("a.inspector", PASSWORD)
    assert with_inspector("user", "disable", "A.Inspector").stdout == "a.inspector is disabled\n"
    assert not signs_in("a.inspector", PASSWORD)
    row = users(with_inspector)["a.inspector"]
    assert (row["state"], row["n_sessions"]) == ("disabled", 0)
    assert with_inspector("user", "enable", "a.inspector").exit_code == 0
    assert signs_in("a.inspector", PASSWORD)


def test_the_role_is_set(with_inspector: Run) -> None:
    assert with_inspector("user", "role", "a.inspector", "ml_engineer").exit_code == 0
    assert users(with_inspector)["a.inspector"]["role"] == "ml_engineer"


def test_sessions_are_listed_and_ended(with_inspector: Run) -> None:
    assert signs_in("a.inspector", PASSWORD)
    listed = with_inspector("user", "sessions", "a.inspector")
    assert listed.stdout.startswith("s-")
    assert "Browser" in listed.stdout
    assert with_inspector("user", "sessions", "a.inspector", "--end").stdout == "1 sessions ended\n"
    assert with_inspector("user", "sessions", "a.inspector").stdout == ""


@ON_EACH_DATABASE
def test_an_erasure_needs_yes_and_keeps_the_chain_valid(with_inspector: Run, engine: Engine) -> None:
    assert is_one_line(with_inspector("user", "erase", "a.inspector"), "--yes")
    user_id = users(with_inspector)["a.inspector"]["user_id"]
    assert user_id in with_inspector("user", "erase", "a.inspector", "--yes").stdout
    assert users(with_inspector)[None]["state"] == "erased"
    assert f"erased user {user_id}" in with_inspector("user", "list").stdout
    with open_container(load_settings(None)) as services:
        assert services.audit.verify(COMMAND_LINE).is_whole
    with engine.connect() as connection:
        log = [str(row).lower() for row in connection.execute(select(AuditEventRow))]
    assert any("user.erased" in row and user_id in row for row in log)
    assert not any("ann " in row or "a.inspector" in row for row in log)


@ON_EACH_DATABASE
def test_a_person_gets_what_is_stored_about_them_and_the_log_tells_it(
    with_inspector: Run, tmp_path: Path
) -> None:
    assert signs_in("a.inspector", PASSWORD)
    certificate = ("--scheme", "ISO 9712", "--method", "RT", "--level", "2", "--number", "4711")
    added = with_inspector(
        "user", "certificate", "add", "a.inspector", *certificate, "--valid-until", "2030-01-31"
    )
    assert added.exit_code == 0, added.output
    file = tmp_path / "ann.json"
    assert "acts of a.inspector" in with_inspector("user", "export", "a.inspector", "--out", str(file)).stdout
    written = file.read_text(encoding="utf-8")
    exported = json.loads(written)
    account = exported["account"]
    assert (account["name"], account["full_name"], account["role"]) == (
        "a.inspector", "Ann Inspector", "inspector",
    )  # fmt: skip
    assert exported["certificates"][0]["number"] == "4711"
    assert len(exported["sessions"]) == 1
    assert "session.started" in {act["action"] for act in exported["acts"]}
    assert "user.added" in {act["action"] for act in exported["done_to_the_account"]}
    assert "hash" not in written
    again = json.loads(with_inspector("user", "export", "a.inspector").stdout)
    assert again["done_to_the_account"][0]["action"] == "user.exported"
    with open_container(load_settings(None)) as services:
        assert services.audit.verify(COMMAND_LINE).is_whole


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("export", "nobody-here"), "no account 'nobody-here'"),
        (("disable", "nobody-here"), "no account 'nobody-here'"),
        (("role", "nobody-here", "admin"), "no account"),
        (("sessions", "a\x1b[31m"), "no account 'a\\x1b[31m'"),
        (("add", "a.inspector", "--role", "reviewer"), "already"),
        (("add", "a b", "--role", "reviewer"), "sign-in name"),
        (("add", "new-one", "--role", "reviewer", "--full-name", "a\nb"), "full name"),
        (("password", "a.inspector", "--password-stdin"), "nothing"),
        (("disable", "admin"), "last active admin"),
        (("role", "admin", "inspector"), "last active admin"),
        (("erase", "admin", "--yes"), "last active admin"),
    ],
)
def test_what_cannot_be_done_is_one_line(with_inspector: Run, arguments: tuple[str, ...], says: str) -> None:
    before = users(with_inspector)
    assert is_one_line(with_inspector("user", *arguments), says)
    assert users(with_inspector) == before


def test_a_weak_password_is_refused_without_being_repeated(run: Run) -> None:
    result = run(
        "user", "add", "new-one", "--role", "reviewer", "--password-stdin", typed="abc123-xyzzy\n"[:9] + "\n"
    )
    assert is_one_line(result, "at least 12")
    assert "abc123" not in result.output


def test_two_setups_at_the_same_time_make_one_admin(run: Run, tmp_path: Path) -> None:
    script = (
        "import sys, core.setting_up; from pathlib import Path; from core.cli import main; "
        f"core.setting_up.CHECKPOINTS = Path({str(tmp_path / 'no-models')!r}); main(['setup'])"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("first sign-in: admin / " in out for out, _ in outputs) == 1
    assert list(users(run)) == ["admin"]


def test_certificates_are_added_listed_and_removed(with_inspector: Run) -> None:
    run = with_inspector
    given = ["--scheme", "ISO 9712", "--level", "2", "--number", "4711", "--valid-until", "2020-03-31"]
    added = run("user", "certificate", "add", "a.inspector", *given)
    assert added.output == "a.inspector: ISO 9712 RT level 2, no. 4711, valid until 2020-03-31\n"
    assert run("user", "certificate", "add", "a.inspector", *given).exit_code == 2
    listed = run("user", "certificate", "list", "a.inspector")
    assert listed.output == "ISO 9712 RT level 2, no. 4711, valid until 2020-03-31  ended\n"
    assert run("user", "certificate", "remove", "a.inspector", "other").exit_code == 2
    assert run("user", "certificate", "remove", "a.inspector", "4711").exit_code == 0
    assert run("user", "certificate", "list", "a.inspector").output == ""
    assert "a valid certificate" in run("user", "certificate", "required", "on").output
    with open_container(load_settings(None)) as services, services.store.read() as work:
        assert is_certificate_required(work)
