"""Keep the verdict that a signature is for as it was signed."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLE = "signed_judgements"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("signature_id", sa.String(40), nullable=False),
        sa.Column("judgement", sa.JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["signature_id"],
            ["signatures.signature_id"],
            name=op.f("fk_signed_judgements_signature_id_signatures"),
        ),
        sa.PrimaryKeyConstraint("signature_id", name=op.f("pk_signed_judgements")),
    )
    _refuse_changes(_TABLE)


def _refuse_changes(table: str) -> None:
    """Let the database itself refuse to change or delete rows of `table`, as 0002 does."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table(_TABLE)
