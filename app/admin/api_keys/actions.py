"""Changes an admin makes to API keys. Only from callbacks."""

from app.admin.api_keys import state
from app.shared.access import acting, current_identity
from app.shared.moments import done_words
from app.shared.resources import resources
from core.domain.api_keys import ApiKey


@acting
def add() -> None:
    """Add the key that the form describes, and show it this once."""
    account, name, scopes, days = state.typed()
    issued = resources().services.api_keys.add(current_identity(), account, name, scopes, days=days)
    state.choose(issued.key.key_id)
    remembered = state.keys_state()
    remembered.issued = issued
    remembered.n_added += 1
    remembered.said = done_words(f"{issued.key.name} was added")


@acting
def revoke(seen: ApiKey) -> None:
    """Refuse the key from now on."""
    key = resources().services.api_keys.revoke(current_identity(), seen.key_id)
    state.forget_secret()
    state.keys_state().said = done_words(f"{key.name} is revoked")
