"""Every call the description allows is answered as it says, and none breaks (ATTACKS A1)."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 12
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.fixture(params=["sqlite"])
def engine_name(request):
    """One engine: what the calls read is proved on both elsewhere."""
    return request.param


def test_no_call_breaks_and_answers_are_as_described(app, faire_cle, cast):
    app.extensions["reglages"].api_appels_minute = 100_000
    _key, secret = faire_cle("assistant_n2", ecriture=True)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    headers = {"Authorization": f"Bearer {secret}"}
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 6
    for operation in operations:
        attack(operation, headers)


def attack(operation: Any, headers: dict[str, str]) -> None:
    """Send what the description of one call allows, and check each answer against it."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    send()
