"""To r0015 and back: labels of before are kept."""

from sqlalchemy import Engine, inspect

from core.domain.accounts import Role
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.own_classes import OwnClass
from core.services.labels.labels import LabelService
from core.services.labels.own_classes import OwnClassService
from core.store.database import upgrade
from tests.records import add_user, new_store, store_image
from tests.store.test_disposition_migration import downgrade


def test_labels_are_kept_both_ways(engine: Engine) -> None:
    store = new_store(engine)
    sha256, admin, annotator = (
        store_image(store),
        add_user(store, Role.ADMIN),
        add_user(store, Role.ANNOTATOR),
    )
    splash = OwnClass("TS", "tungsten splash", "#e0a040")
    OwnClassService(store).save(admin, splash, is_new=True)
    label = Label("h1", (1, 2, 3, 4), IndicationClass.UNCLASSIFIED, own_class="TS")
    LabelService(store).save(annotator, sha256, [label], expected_version=0)
    downgrade(engine, "r0010")
    assert "own_classes" not in inspect(engine).get_table_names()
    upgrade(engine)
    assert OwnClassService(store).all(admin) == []
    assert LabelService(store).open(annotator, sha256).labels == (label,)
