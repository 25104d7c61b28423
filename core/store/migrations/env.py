"""Alembic's entry: runs the migrations on the connection that `core.store.database.upgrade` hands over.

`alembic -x url=sqlite:///var/radikal.db ...` works too, for writing a new migration.
"""

from alembic import context
from sqlalchemy import Connection, create_engine

from core.store.schema import METADATA


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,  # SQLite cannot alter a column in place
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_handed_over = context.config.attributes.get("connection")
if _handed_over is not None:
    _run(_handed_over)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as _connection:
        _run(_connection)
