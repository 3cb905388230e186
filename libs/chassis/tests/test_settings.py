"""The environment is read once, and every fault in it is told at once without its value."""

import pytest
from chassis.settings import SettingsInvalid, load_settings

LEAST = {"DATABASE_URL": "postgresql://receivables_payment:hunter2@127.0.0.1/db", "ENTITIES_FILE": "entities.toml"}
PRODUCTION = {**LEAST, "ENV": "prod", "JWT_KEYS_FILE": "keys.json", "JWT_ISSUER": "https://login.example"}


def test_the_least_environment_serves_on_loopback_at_the_services_own_port() -> None:
    settings = load_settings("payment", LEAST)

    assert (settings.http_host, settings.http_port, settings.binds_loopback) == ("127.0.0.1", 8002, True)
    assert (settings.env, settings.topic_partitions, settings.jwt_audience) == ("dev", 12, "receivables")


def test_every_fault_is_named_in_one_sentence() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings("payment", {"HTTP_PORT": "eighty", "LOG_LEVEL": "LOUD", "TOPIC_PARTITIONS": "0"})

    assert str(refused.value).startswith("the payment service cannot start: ")
    for name in ("DATABASE_URL", "ENTITIES_FILE", "HTTP_PORT", "LOG_LEVEL", "TOPIC_PARTITIONS"):
        assert f"{name}: " in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("shown", [str, repr])
def test_no_secret_is_ever_printed(shown: object) -> None:
    assert callable(shown)
    assert "hunter2" not in shown(load_settings("payment", LEAST))
    with pytest.raises(SettingsInvalid) as refused:
        load_settings("payment", {**LEAST, "HTTP_PORT": "s3cret"})
    assert "s3cret" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings("credit", {**LEAST, "HTTP_PORT": ""}).http_port == 8003


def test_production_wants_its_own_issuer_and_keys_and_no_failpoints() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load_settings("invoice", {**LEAST, "ENV": "prod", "FP": "api.locked:1:kill"})

    for name in ("JWT_KEYS_FILE", "JWT_ISSUER", "FP"):
        assert f"{name}: " in str(refused.value)


def test_a_token_for_one_service_is_not_for_another_in_production() -> None:
    assert load_settings("invoice", PRODUCTION).jwt_audience == "receivables-invoice"


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("10.0.0.5", False)]
)
def test_only_loopback_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert load_settings("invoice", {**LEAST, "HTTP_HOST": host}).binds_loopback is loopback
