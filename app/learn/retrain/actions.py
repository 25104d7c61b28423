"""The action of the page of retraining. Only from callbacks."""

from app.learn.retrain import state
from app.shared.access import acting, current_identity
from app.shared.resources import resources


@acting
def start() -> None:
    """Start the training that the form describes."""
    if wanted := state.wanted():
        services, (request, device) = resources().services, wanted
        device = device or services.detect.device
        state.choose_job(services.retraining.start(current_identity(), request, device=device))
