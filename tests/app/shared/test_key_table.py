from pathlib import Path

from app.shared.components.radiograph_viewer import key_table as module
from app.shared.components.radiograph_viewer.key_table import key_table


def test_every_line_of_the_viewers_key_table_is_read():
    source = Path(module.__file__).with_name("keys.js").read_text(encoding="utf-8")
    assert len(key_table()) == source.count("{ group:") > 20


def test_the_first_and_last_keys_are_those_of_the_viewer():
    assert key_table()[0].does == "zoom at the cursor, in, out"
    assert key_table()[-1].shows == "?"
