"""To r0013 and back: refused sign-ins of before are kept."""

from datetime import timedelta

from sqlalchemy import Engine, inspect

from core.store.database import upgrade
from tests.records import START, new_store
from tests.store.test_disposition_migration import downgrade

ACCOUNT, ADDRESS = "a" * 64, "b" * 64


def test_refused_sign_ins_are_kept_both_ways(engine: Engine) -> None:
    store, before = new_store(engine), START - timedelta(days=1)
    with store.write() as work:
        work.failures.add(account_key=ACCOUNT, address_key=ADDRESS, at=START)
        work.known_addresses.note(ACCOUNT, ADDRESS, START)
    downgrade(engine, "r0008")
    assert "known_addresses" not in inspect(engine).get_table_names()
    upgrade(engine)
    with store.read() as work:
        assert work.failures.of_both(ACCOUNT, ADDRESS, before) == (1, START)
        assert not work.known_addresses.has(ACCOUNT, ADDRESS, before)
