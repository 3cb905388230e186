"""
The same two servers as containers, by testcontainers, for those who ask for Docker.

Images are pinned to the versions of the local processes. testcontainers is a development requirement and imported only here, when used.
"""

import hashlib
import hmac
import http.client
import importlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from launcher import ports
from launcher.folders import State
from launcher.trouble import Trouble

KAFKA_IMAGE = "apache/kafka:4.3.1"
POSTGRES_IMAGE = "postgres:18.4"
_SOCKET = "/var/run/docker.sock"
_ANSWER_SECONDS = 3.0
_READY_SECONDS_MAX = 90


def engine_silent_because(environment: Mapping[str, str]) -> str | None:
    """Ask the Docker engine of DOCKER_HOST (or its usual socket) for a sign of life; return why there is none, or None when it answers."""
    address = environment.get("DOCKER_HOST") or f"unix://{_SOCKET}"
    parts = urlsplit(address)
    try:
        connection = _connect(parts.scheme, parts.path, parts.hostname, parts.port)
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        status, body = answer.status, answer.read(64)
        connection.close()
    except (OSError, http.client.HTTPException, ValueError) as refused:
        return f"the engine at {address} does not answer ({refused})"
    return None if status == 200 and body == b"OK" else f"the engine at {address} answered {status}"


def start_kafka(state: State) -> str:
    """Start a broker in a container, or find the one of this state folder, and return `host:port`. It answers only a moment later."""
    port = _port(state, "kafka")
    listeners = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{ports.HOST}:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "4",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }
    _start(state, "kafka", KAFKA_IMAGE, listeners, inner=port, outer=port, wait_for="Kafka Server started")
    return f"{ports.HOST}:{port}"


def start_postgres(state: State) -> str:
    """Start a database server in a container, or find the one of this state folder, and return the superuser's address."""
    port = _port(state, "postgres")
    environment = {"POSTGRES_PASSWORD": _password(state)}
    _start(state, "postgres", POSTGRES_IMAGE, environment, inner=5432, outer=port, wait_for="ready to accept connections")
    return postgres_dsn(state)


def postgres_dsn(state: State) -> str:
    """Return the superuser's address of the container of this state folder."""
    return f"postgresql://postgres:{_password(state)}@{ports.HOST}:{_port(state, 'postgres')}/postgres"


def remove(state: State) -> list[str]:
    """Remove the containers of this state folder with their data; return which there were."""
    containers = state.recall("containers")
    for identifier in containers.values():
        container = _find(identifier)
        if container is not None:
            container.remove(force=True, v=True)
    if containers:
        state.remember("containers", {})
    return sorted(containers)


def _connect(scheme: str, path: str, host: str | None, port: int | None) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(host or "localhost", port or 2375, timeout=_ANSWER_SECONDS)
    if scheme == "unix":
        if not Path(path).exists():
            raise FileNotFoundError("no such socket")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(_ANSWER_SECONDS)
        connection.sock.connect(path)
    elif scheme not in ("tcp", "http"):
        raise ValueError(f"its scheme {scheme} is not unix or tcp")
    return connection


def _password(state: State) -> str:
    return hmac.new(state.secret(), b"postgres", hashlib.sha256).hexdigest()


def _port(state: State, name: str) -> int:
    """Keep the port of a container that exists; it is not free because the container has it."""
    key = f"{name}_container"
    if name in state.recall("containers") and key in state.recall("ports"):
        return int(state.recall("ports")[key])
    return ports.keep_or_choose(state, key)


def _start(state: State, name: str, image: str, environment: dict[str, str], *, inner: int, outer: int, wait_for: str) -> None:
    known = state.recall("containers").get(name)
    container = _find(known) if known else None
    if container is not None:
        container.start()
        return
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"  # The containers outlive this command; `make down` removes them.
    try:
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy
    except ImportError:
        raise Trouble("Docker was asked for but testcontainers is not installed: run `make setup-dev`.") from None
    wait = LogMessageWaitStrategy(wait_for).with_startup_timeout(_READY_SECONDS_MAX)
    fresh = DockerContainer(image).waiting_for(wait)
    for variable, value in environment.items():
        fresh = fresh.with_env(variable, value)
    bindings: dict[str, Any] = fresh.ports
    bindings[str(inner)] = (ports.HOST, outer)  # `with_bind_ports` cannot keep the port off the other interfaces.
    fresh.start()
    identifier = fresh.get_wrapped_container().id
    state.remember("containers", {**state.recall("containers"), name: identifier})


def _find(identifier: str) -> Any:
    """Return the engine's container of that id, none when it is gone."""
    try:
        engine = importlib.import_module("docker")
    except ImportError:
        raise Trouble("Containers were started for this stack but testcontainers is not installed: run `make setup-dev`.") from None
    try:
        return engine.from_env().containers.get(identifier)
    except engine.errors.NotFound:
        return None
