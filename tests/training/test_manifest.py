"""The list of a version's training images."""

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from core.registry.artefact import file_sha256
from core.training.manifest import write_entries

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "checkpoints"
ENTRIES = [
    {"sha256": "b" * 64, "file_name": "Weld \N{LATIN SMALL LETTER O WITH DIAERESIS}1.png", "series": "W1"},
    {"sha256": "a" * 64, "file_name": 'a "quoted", name', "seed": 7},
]


@pytest.mark.parametrize("entries", [[], ENTRIES[:1], ENTRIES], ids=len)
def test_a_manifest_reads_back_as_it_was_and_has_a_line_an_image(tmp_path, entries):
    write_entries(tmp_path / "manifest.json", entries)
    text = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["images"] == entries
    joined = "\n".join(sorted(entry["sha256"] for entry in entries))
    assert content["digest"] == hashlib.sha256(joined.encode()).hexdigest()
    assert text.splitlines()[1:-1] == (
        [json.dumps(entry, separators=(",", ":")) + "," for entry in entries[:-1]]
        + [json.dumps(entry, separators=(",", ":")) for entry in entries[-1:]]
        or [""]
    )


def test_an_image_that_flaws_were_laid_on_several_times_has_one_line(tmp_path):
    laid = [{"sha256": "c" * 64, "file_name": "c.png", "series": "C", "seed": seed} for seed in (5, 6, 9)]
    write_entries(tmp_path / "manifest.json", [ENTRIES[0], *laid, ENTRIES[1]])
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    merged = {"sha256": "c" * 64, "file_name": "c.png", "series": "C", "seeds": [5, 6, 9]}
    assert content["images"] == [ENTRIES[0], merged, ENTRIES[1]]


@pytest.mark.parametrize("folder", sorted(SHIPPED.iterdir()), ids=lambda folder: folder.name)
def test_a_shipped_card_names_the_manifest_beside_it_which_takes_a_line_an_image(folder):
    card = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    assert card["manifest_sha256"] == file_sha256(folder / "manifest.json")
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    assert len(text.splitlines()) == len(json.loads(text)["images"]) + 2
