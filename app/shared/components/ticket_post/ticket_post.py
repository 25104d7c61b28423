"""The form that hands a sign-in ticket to the server: a POST, so that it is in no address and no log."""

from app.shared.components.scripts import component


def post_ticket(ticket: str) -> None:
    """Make the browser post the ticket at once and come back to the address it shows now."""
    component("ticket_post")(data={"ticket": ticket}, key="sign-in-post")
