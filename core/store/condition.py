"""Looking at a database before anything is done with it: its schema, the end of its audit log."""

from sqlalchemy import Engine, column, exists, inspect, select, table

from core.audit.chain import Head
from core.store.database import known_revisions, unknown_revision
from core.store.record_tables import AuditHeadRow
from core.store.tables import ImageRow

#: Alembic's own table.
_REVISION = table("alembic_version", column("version_num"))


def schema_problem(engine: Engine) -> str | None:
    """Why this release cannot work with the schema, with the remedy; None when it is the newest.

    Raises:
        DatabaseUnavailableError: the database is busy or cannot be reached.
    """
    newest, known = known_revisions()
    current = None
    if inspect(engine).has_table(_REVISION.name):
        with engine.connect() as connection:
            current = connection.scalar(select(_REVISION.c.version_num))
    if current == newest:
        return None
    if current is None:
        return "DATABASE_URL: this database is empty: run `radikal setup` first"
    if current in known:
        return (
            f"DATABASE_URL: the database is at revision {current}, this release needs {newest}: "
            "make a backup, then run `radikal setup`"
        )
    return f"DATABASE_URL: {unknown_revision(current)}"


def log_end(engine: Engine) -> Head | None:
    """The head of the audit log; None where there is none, of a database without a schema, too.

    Raises:
        DatabaseUnavailableError: the database is busy or cannot be reached.
    """
    if not inspect(engine).has_table(AuditHeadRow.__tablename__):
        return None
    head = AuditHeadRow
    with engine.connect() as connection:
        row = connection.execute(select(head.seq, head.hash, head.key_id, head.seal)).first()
    return None if row is None else Head(*row)


def known_film(engine: Engine) -> str | None:
    """The digest of the file of one image that the database knows; None where it knows none.

    Raises:
        DatabaseUnavailableError: the database is busy or cannot be reached.
    """
    inspector = inspect(engine)
    if not inspector.has_table(ImageRow.__tablename__):
        return None
    columns = {str(one["name"]) for one in inspector.get_columns(ImageRow.__tablename__)}
    digest = ImageRow.file_sha256 if "file_sha256" in columns else ImageRow.sha256
    with engine.connect() as connection:
        return connection.scalar(select(digest).limit(1))


def knows_images(engine: Engine) -> bool:
    """True when the database has a row of an image; one without a schema has none.

    Raises:
        DatabaseUnavailableError: the database is busy or cannot be reached.
    """
    if not inspect(engine).has_table(ImageRow.__tablename__):
        return False
    with engine.connect() as connection:
        return bool(connection.scalar(select(exists().where(ImageRow.sha256.is_not(None)))))
