"""Which servers are taken. The Docker engine's answer is faked at its socket: no real engine is needed."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from launcher.choice import Way, choose
from launcher.trouble import Trouble

KAFKA = {"RECEIVABLES_KAFKA": "broker:9092"}
POSTGRES = {"RECEIVABLES_POSTGRES": "postgresql://admin@db/postgres"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[[int], dict[str, str]]]:
    """Start an engine that answers a ping with the given status; returns the environment that leads to it."""
    servers = []

    def start(status: int) -> dict[str, str]:
        class Engine(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b"OK" if self.path == "/_ping" else b"?"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, *_: object) -> None:
                pass

        server = socketserver.UnixStreamServer(str(tmp_path / "docker.sock"), Engine)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_without_any_wish_both_servers_are_local_processes() -> None:
    choice = choose({})
    assert (choice.kafka, choice.postgres) == (Way.LOCAL, Way.LOCAL)
    assert "RECEIVABLES_SERVERS is not set" in choice.line


def test_an_answering_engine_is_not_used_unless_asked_for(engine: Callable[[int], dict[str, str]]) -> None:
    assert choose(engine(200)).kafka is Way.LOCAL


def test_docker_is_used_when_asked_for_and_the_engine_answers(engine: Callable[[int], dict[str, str]]) -> None:
    choice = choose({**engine(200), "RECEIVABLES_SERVERS": "docker"})
    assert (choice.kafka, choice.postgres) == (Way.DOCKER, Way.DOCKER)
    assert "the engine answers" in choice.line


def test_a_silent_engine_leaves_local_processes_and_the_line_says_why(tmp_path: Path) -> None:
    choice = choose({"DOCKER_HOST": f"unix://{tmp_path}/none.sock", "RECEIVABLES_SERVERS": "docker"})
    assert choice.postgres is Way.LOCAL
    assert "does not answer" in choice.line


def test_an_engine_in_trouble_counts_as_silent(engine: Callable[[int], dict[str, str]]) -> None:
    choice = choose({**engine(500), "RECEIVABLES_SERVERS": "docker"})
    assert choice.kafka is Way.LOCAL
    assert "answered 500" in choice.line


def test_given_addresses_come_before_docker(engine: Callable[[int], dict[str, str]]) -> None:
    choice = choose({**engine(200), **KAFKA, "RECEIVABLES_SERVERS": "docker"})
    assert (choice.kafka, choice.postgres) == (Way.GIVEN, Way.DOCKER)


def test_one_given_address_leaves_the_other_server_local() -> None:
    choice = choose(POSTGRES)
    assert (choice.kafka, choice.postgres) == (Way.LOCAL, Way.GIVEN)
    assert "RECEIVABLES_POSTGRES is set" in choice.line


def test_local_can_be_insisted_on_against_given_addresses() -> None:
    choice = choose({**KAFKA, **POSTGRES, "RECEIVABLES_SERVERS": "local"})
    assert (choice.kafka, choice.postgres) == (Way.LOCAL, Way.LOCAL)


def test_given_without_an_address_is_refused_and_names_what_is_missing() -> None:
    with pytest.raises(Trouble, match="RECEIVABLES_POSTGRES"):
        choose({**KAFKA, "RECEIVABLES_SERVERS": "given"})


def test_an_unknown_wish_is_refused() -> None:
    with pytest.raises(Trouble, match="podman"):
        choose({"RECEIVABLES_SERVERS": "podman"})


def test_the_line_never_shows_a_password() -> None:
    assert "hunter2" not in choose({"RECEIVABLES_POSTGRES": "postgresql://admin:hunter2@db/postgres"}).line
