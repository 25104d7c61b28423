"""The whole schema as SQLAlchemy metadata: importing this module declares every table."""

from core.store import (
    account_tables,
    api_tables,
    class_tables,
    comparison_tables,
    film_tables,
    fingerprint_table,
    learning_tables,
    monitoring_tables,
    promotion_tables,
    record_tables,
    shared_tables,
    tables,
    workbench_tables,
)

#: The schema that `alembic` compares the database with.
METADATA = tables.Base.metadata
__all__ = [
    "METADATA",
    "account_tables",
    "api_tables",
    "shared_tables",
    "class_tables",
    "comparison_tables",
    "film_tables",
    "fingerprint_table",
    "learning_tables",
    "monitoring_tables",
    "promotion_tables",
    "record_tables",
    "tables",
    "workbench_tables",
]
