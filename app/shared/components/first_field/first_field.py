"""The cursor in the field that is typed into first, where Streamlit would leave it on the page."""

from app.shared.components.scripts import component


def start_in(key: str) -> None:
    """Put the cursor into the field of the container or widget `key` when it comes on show."""
    component("first_field")(data={"key": key.replace(".", "-")}, key=f"start-in-{key}", height=0)
