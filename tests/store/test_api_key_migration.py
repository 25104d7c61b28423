"""To r0016 and back: accounts are kept, keys are gone with the way back."""

from datetime import timedelta

from sqlalchemy import Engine, inspect

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.api_keys import Scope
from core.services.accounts.accounts import AccountService
from core.services.accounts.api_keys import ApiKeyService
from core.store.database import upgrade
from tests.records import new_store
from tests.store.test_disposition_migration import downgrade

TABLES = {"api_keys", "api_key_uses", "api_answers"}


def test_accounts_are_kept_both_ways_and_keys_are_new(engine: Engine) -> None:
    store = new_store(engine)
    AccountService(store, account_key=str, make_hash=lambda _: "x").add(
        COMMAND_LINE, "station", "Station 3", Role.INSPECTOR, "three pores in 4 welds"
    )
    keys = ApiKeyService(store)
    issued = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.DETECT], days=30)
    assert keys.who(issued.token) is not None
    with store.write() as work:
        work.api_answers.begin(issued.key.user_id, "order-1", "a" * 64, work.now + timedelta(hours=1))

    downgrade(engine, "r0015")
    assert not TABLES & set(inspect(engine).get_table_names())

    upgrade(engine)
    assert set(inspect(engine).get_table_names()) >= TABLES
    assert keys.all(COMMAND_LINE).keys == ()
    again = keys.add(COMMAND_LINE, "station", "cell 3", [Scope.DETECT], days=30)
    assert keys.who(again.token) is not None
    assert keys.who(issued.token) is None
