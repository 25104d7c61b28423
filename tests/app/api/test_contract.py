"""The API keeps what its OpenAPI document says, whatever is sent: for each role, operation by operation."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.applications import Starlette

from app.shared.resources import Resources, forget_resources, use_resources
from core.config import Settings
from core.domain.accounts import ACCOUNT_ROLES, Role
from tests.app.api.conftest import new_key, stacked
from tests.workplace import close_workplace, make_workplace

_FEW = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resources]:
    held = make_workplace(tmp_path_factory.mktemp("contract"))
    use_resources(held)
    yield held
    forget_resources()
    close_workplace(held)


@pytest.fixture(scope="module")
def server(workplace: Resources) -> Starlette:
    made = Settings(_env_file=None, data_dir=workplace.services.data_dir, api_requests_per_minute=1_000_000)
    return stacked(made)


@pytest.mark.parametrize("role", ACCOUNT_ROLES)
def test_every_operation_answers_as_documented(workplace: Resources, server: Starlette, role: Role) -> None:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", server)
    headers = new_key(workplace, role)
    with asgi.get_client(server) as session:
        for found in schema.get_all_operations():
            operation = found.ok()

            @_FEW
            @given(case=operation.as_strategy())
            def check(case: Any) -> None:
                answer = case.call(session=session, headers=headers)
                case.validate_response(answer, excluded_checks=[positive_data_acceptance])
                if case.meta.generation.mode.is_positive:  # what services refuse beyond is no breach
                    assert b"/api/docs#invalid" not in answer.content

            check()


def test_walks_through_the_api_answer_as_documented(workplace: Resources, server: Starlette) -> None:
    """Requests that use what earlier ones answered, such as the id of an inspection."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", server)
    headers = new_key(workplace, Role.INSPECTOR)

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **more: Any) -> None:
            case.validate_response(response, excluded_checks=[positive_data_acceptance])

    Walk.run(settings=settings(_FEW, stateful_step_count=6))
