"""A worker stays small: nothing it runs brings the web framework or the object mapper (performance.md)."""

import subprocess
import sys

import pytest

HEAVY = ("fastapi", "starlette", "sqlalchemy", "sqlmodel", "joserfc", "opentelemetry.sdk", "opentelemetry.exporter", "requests", "alembic")
WORKER = ("worker", "intake", "delivery", "outbox", "relay", "turning", "tracing", "logs", "metrics", "settings", "readiness")
ALSO = ("idempotency", "audit", "service", "entities")


@pytest.mark.parametrize("module", WORKER + ALSO)
def test_what_a_worker_imports_is_light(module: str) -> None:
    code = f"import sys, chassis.{module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_web_side_is_what_the_check_can_see() -> None:
    code = f"import sys, chassis.http; print([name for name in {HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "fastapi" in told.stdout
