"""The page of data versions in this session."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.shared.state import chosen_model
from core.domain.radiograph import Polarity
from core.services.datasets.data_versions import DataRequest
from core.store.data_versions import DataVersion

LICENCE, NOTE, IMPORT, POLARITY = (f"data.{name}" for name in ("licence", "note", "import", "polarity"))
CALIBRATION, TEST, AGAINST = (f"data.{name}" for name in ("calibration", "test", "against"))
_N_ASKED, _CHOSEN = "data.n_asked", "data"
_PERCENT = 100


def chosen(versions: Sequence[DataVersion]) -> DataVersion | None:
    """The version in the address, else the newest; None when there is none."""
    asked = st.query_params.get(_CHOSEN, "")
    named = next((one for one in versions if str(one.number) == asked), None)
    return named or (versions[0] if versions else None)


def choose(number: int | None) -> None:
    """Put a version into the address; only from a callback."""
    if number is not None:
        st.query_params[_CHOSEN] = str(number)


def n_asked() -> int:
    """Versions that were asked for in this session; the form closes with each."""
    return int(st.session_state.get(_N_ASKED, 0))


def was_asked() -> None:
    """Count a version that was asked for, and show the newest one; only from a callback."""
    st.session_state[_N_ASKED] = n_asked() + 1
    st.query_params.pop(_CHOSEN, None)


def wanted() -> DataRequest:
    """The version that the form describes."""
    asked = st.session_state
    file = asked.get(IMPORT)
    return DataRequest(
        model_name=chosen_model(),
        licence=str(asked.get(LICENCE) or "").strip(),
        note=str(asked.get(NOTE) or "").strip(),
        coco=Path(file) if file else None,
        polarity=asked.get(POLARITY) or Polarity.UNKNOWN,
        calibration_share=int(asked.get(CALIBRATION, 20)) / _PERCENT,
        test_share=int(asked.get(TEST, 20)) / _PERCENT,
    )
