"""API keys as rows and facts."""

from typing import Any

from app.shared.moments import minute
from core.domain.api_keys import ApiKey
from core.services.accounts.api_keys import KeyList


def key_rows(found: KeyList) -> list[dict[str, Any]]:
    """One row of the table for each key."""
    return [
        {
            "Name": key.name,
            "Account": found.names.get(key.user_id, key.user_id),
            "Scopes": scope_words(key),
            "State": found.states[key.key_id],
            "Expires": minute(key.expires_at),
            "Last use": minute(key.last_used_at) if key.last_used_at else "never",
        }
        for key in found.keys
    ]


def key_facts(key: ApiKey, found: KeyList) -> dict[str, str]:
    """Facts of a key by name."""
    creator = "command line" if key.created_by is None else found.names.get(key.created_by, key.created_by)
    return {
        "Name": key.name,
        "Account": found.names.get(key.user_id, key.user_id),
        "Scopes": scope_words(key),
        "State": found.states[key.key_id],
        "Added": f"{minute(key.created_at)} UTC by {creator}",
        "Expires": f"{minute(key.expires_at)} UTC",
        "Revoked": f"{minute(key.revoked_at)} UTC" if key.revoked_at else "",
        "Last use": f"{minute(key.last_used_at)} UTC" if key.last_used_at else "never",
        "Id": key.key_id,
    }


def scope_words(key: ApiKey) -> str:
    """The scopes of a key, comma-separated."""
    return ", ".join(sorted(key.scopes))
