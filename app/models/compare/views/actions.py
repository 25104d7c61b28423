"""Callbacks of saved views."""

from app.models.compare.views import state
from app.shared.access import acting, current_identity
from app.shared.resources import MODELS, resources
from core.services.evaluation.saved_views import ListedView


@acting
def save() -> None:
    """Keep the address of the page under the name that was typed."""
    name, is_shared = state.typed()
    views = resources().services.saved_views
    kept = views.save(current_identity(), name, state.address(), is_shared=is_shared)
    state.done(f"saved view {kept.name}" + (" for everybody who compares versions" if is_shared else ""))


@acting
def open_view(listed: ListedView) -> None:
    """Turn the page to a view."""
    current_identity()
    registered = resources().services.registry.names()
    state.turn_to(listed.view.query, frozenset((*MODELS, *registered)))
    state.done(f"{listed.view.name}: {listed.gone} gone, the rest is shown" if listed.gone else "")


@acting
def edit(view_id: str | None, name: str = "") -> None:
    """Show the fields that change a view."""
    current_identity()
    state.edit(view_id, name)


@acting
def rename(view_id: str) -> None:
    """Give the view the name that was typed."""
    resources().services.saved_views.rename(current_identity(), view_id, state.renamed())
    state.edit(None)


@acting
def share(view_id: str, is_shared: bool) -> None:
    """Show the view to everybody who compares versions, or to its owner alone."""
    resources().services.saved_views.share(current_identity(), view_id, is_shared)


@acting
def delete(view_id: str) -> None:
    """Delete the view."""
    resources().services.saved_views.delete(current_identity(), view_id)
    state.edit(None)
