"""States of records: what each event of the audit log left, so that the records can be compared with it."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0013"
branch_labels = None
depends_on = None
#: Tables about persons, with their primary keys.
_SALTED = {"people": "user_id", "certificates": "certificate_id"}


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("records_hash", sa.String(64)))
    op.create_table(
        "audit_states",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("table_name", sa.String(32), primary_key=True),
        sa.Column("record_key", sa.String(160), primary_key=True),
        sa.Column("digest", sa.String(64)),
        sa.Column("fields", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_states_record", "audit_states", ["table_name", "record_key", "seq"])
    for name, key in _SALTED.items():
        op.add_column(name, sa.Column("salt", sa.String(32), nullable=False, server_default=""))
        _fill(sa.table(name, sa.column(key), sa.column("salt")), key)


def _fill(table: sa.TableClause, key: str) -> None:
    """Give every row a salt of its own."""
    connection = op.get_bind()
    for (found,) in connection.execute(sa.select(table.c[key])).all():
        update = sa.update(table).where(table.c[key] == found)
        connection.execute(update.values(salt=secrets.token_hex(16)))


def downgrade() -> None:
    for name in _SALTED:
        op.drop_column(name, "salt")
    op.drop_table("audit_states")
    op.drop_column("audit_events", "records_hash")
