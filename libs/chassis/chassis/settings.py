"""The environment of a service process, read once; every fault is told at once and no value is ever repeated in a message."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PORTS: Mapping[str, int] = {"invoice": 8001, "payment": 8002, "credit": 8003, "dunning": 8004, "reporting": 8005}
DEVELOPMENT_ISSUER = "receivables-dev"


class SettingsInvalid(Exception):
    """The environment cannot be used; the message is one sentence that names every variable at fault and never its value."""


class ServiceSettings(BaseSettings):
    """What a service process is told by its environment; every name in capitals is a variable."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, case_sensitive=False)

    env: Literal["dev", "prod"] = "dev"
    database_url: SecretStr
    kafka_bootstrap: Annotated[str, Field(min_length=1)] = "127.0.0.1:9092"
    entities_file: Path
    http_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    jwt_keys_file: Path | None = None
    jwt_issuer: Annotated[str, Field(min_length=1)] = DEVELOPMENT_ISSUER
    jwt_audience: Annotated[str, Field(min_length=1)] = "receivables"
    topic_partitions: Annotated[int, Field(ge=1, le=1000)] = 12
    patience: timedelta | None = timedelta(hours=4)
    """How long a day waits for a missing marker before it opens without (ISO 8601); `PT0S` waits for ever, as a replay wants."""
    fetch_wait_ms: Annotated[int, Field(ge=1, le=5000)] = 50
    session_timeout_ms: Annotated[int, Field(ge=500, le=60_000)] = 10_000
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    fp: str = ""

    @property
    def is_production(self) -> bool:
        return self.env == "prod"

    @property
    def binds_loopback(self) -> bool:
        """Whether only this machine can reach the HTTP port."""
        return is_loopback(self.http_host)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` passes and nothing else: a test's environment is an argument."""
        return (init_settings,)


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(service: str, environ: Mapping[str, str]) -> ServiceSettings:
    """
    Read the settings of a service. HTTP_PORT defaults to the service's own port; in production JWT_AUDIENCE to `receivables-<service>`.

    :raises SettingsInvalid: anything missing or malformed, or a development setting in production; all faults in one sentence.
    """
    given: dict[str, Any] = {name: environ[name.upper()] for name in ServiceSettings.model_fields if environ.get(name.upper())}
    given.setdefault("http_port", PORTS.get(service, 0))
    if given.get("env") == "prod":
        given.setdefault("jwt_audience", f"receivables-{service}")
    faults, settings = [], None
    try:
        settings = ServiceSettings(**given)
    except ValidationError as error:
        faults += [
            f"{str(fault['loc'][0]).upper()}: {_explain(str(fault['type']), fault['msg'])}" for fault in error.errors(include_input=False)
        ]
    if given.get("env") == "prod":
        faults += _faults_in_production(given)
    if settings is None or faults:
        raise SettingsInvalid(f"the {service} service cannot start: " + "; ".join(faults))
    return settings


def _explain(kind: str, message: str) -> str:
    return "is not set" if kind == "missing" else message[:1].lower() + message[1:]


def _faults_in_production(given: Mapping[str, Any]) -> list[str]:
    faults = []
    if "jwt_keys_file" not in given:
        faults.append("JWT_KEYS_FILE: is not set, and production answers nobody without a token")
    if given.get("jwt_issuer", DEVELOPMENT_ISSUER) == DEVELOPMENT_ISSUER:
        faults.append("JWT_ISSUER: the issuer of your tokens is needed, the development one is refused in production")
    if given.get("fp"):
        faults.append("FP: failpoints are refused in production")
    return faults
