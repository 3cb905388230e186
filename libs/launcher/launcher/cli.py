"""The command line of the launcher; `make help` shows the same commands shorter."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.table import Table

from launcher import tail as tailing
from launcher import topics as topic_list
from launcher.databases import begin_migration, database_of, role_of, wait_for_migration
from launcher.entities import SERVICES
from launcher.postgres import psql as psql_binary
from launcher.stack import Stack
from launcher.trouble import Trouble

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Real Kafka, real PostgreSQL and the five services as processes of this machine. State lies in .local; only 127.0.0.1 is used.",
)
console = Console(stderr=True, highlight=False)


@app.command()
def up(
    entities: Annotated[Path | None, typer.Option(help="The entities file; by default entities.toml.")] = None,
    port_base: Annotated[int | None, typer.Option(help="Port of the first service; the others follow. 8001 by default.")] = None,
    clean: Annotated[bool, typer.Option("--clean", help="Begin with empty books.")] = False,
) -> None:
    """Start what is not running: servers, databases, topics, services. Keeps the books."""
    with _working("bringing the stack up"):
        Stack(entities=entities, port_base=port_base, say=_say).up(clean=clean)


@app.command()
def down() -> None:
    """Stop the services and the servers that this checkout started. Keeps the books."""
    with _working("stopping"):
        stopped = Stack(say=_say).down()
    _say(f"stopped {', '.join(stopped)}" if stopped else "nothing of ours was running")


@app.command()
def reset() -> None:
    """Clean books: stop the services, make databases and topics anew; the servers go on."""
    with _working("cleaning the books"):
        Stack(say=_say).reset()


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Say what runs, where, and where its log is. Exit status 1 when a part is not ready."""
    parts = Stack().status()
    if as_json:
        print(json.dumps([asdict(part) for part in parts], default=str, indent=1))
    else:
        table = Table("part", "state", "pid", "address")
        for part in parts:
            state = "ready" if part.ready else "starting" if part.running else "not running"
            table.add_row(part.name, state, str(part.pid or ""), part.address or "")
        Console().print(table)
        print(f"logs: {parts[0].log.parent}")
    sys.exit(0 if all(part.ready for part in parts) else 1)


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="Who it is for, e.g. clerk-1.")],
    roles: Annotated[str, typer.Option(help="Roles, separated by commas, e.g. clerk,supervisor.")] = "",
) -> None:
    """Print a bearer token signed with the development key, good for twelve hours."""
    print(Stack().token(sub, [role for role in roles.split(",") if role], now=int(time.time())))


@app.command()
def tick(
    date: Annotated[str, typer.Option(help="The business day to start, YYYY-MM-DD.")],
    entity: Annotated[str | None, typer.Option(help="One entity; all of the entities file by default.")] = None,
) -> None:
    """Start a business day: the invoice service queues its markers."""
    stack = Stack()
    bearer = stack.token("tick", ["operator"], now=int(time.time()))
    url = f"{stack.urls().services['invoice']}/v1/business-days"
    with httpx.Client(timeout=30, trust_env=False) as http:
        for code in [entity] if entity else stack.entities.codes:
            headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": f"tick|{code}|{date}"}
            try:
                answer = http.post(url, json={"entity": code, "date": date}, headers=headers)
            except httpx.TransportError:
                raise Trouble("The invoice service does not answer: run `make up`.") from None
            if answer.is_error:
                raise Trouble(f"The invoice service refused day {date} of {code}: {answer.text}")
            _say(f"{code} {date}: {answer.text}")


@app.command()
def tail(
    topic: Annotated[str, typer.Argument(help="e.g. receivables.payment")],
    from_start: Annotated[bool, typer.Option("--from-start", help="All there is, not only what comes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, headers included.")] = False,
) -> None:
    """Show the facts of a topic as they come, until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_tail(Stack().urls().kafka, topic, from_start=from_start, as_json=as_json))


@app.command()
def topics() -> None:
    """List the topics with their partitions."""
    for name, partitions in sorted(topic_list.sizes(Stack().urls().kafka).items()):
        print(f"{name:28} {partitions}")


@app.command()
def psql(service: Annotated[str, typer.Argument(help="Whose database.")]) -> None:
    """Open a service's database, as the service's own role."""
    stack = Stack()
    dsn = httpx.URL(stack.urls().databases[_known(service)])
    command = [str(psql_binary()), "-h", dsn.host, "-p", str(dsn.port), "-U", role_of(service), database_of(service)]
    os.execve(command[0], command, {**os.environ, "PGPASSWORD": dsn.password})


@app.command()
def logs(service: Annotated[str, typer.Argument(help="A service, kafka or postgres.")]) -> None:
    """Follow a log, until Ctrl-C."""
    path = Stack().state.logs / f"{service}.log"
    if not path.exists():
        raise Trouble(f"There is no log {path}: name one of {', '.join((*SERVICES, 'kafka', 'postgres'))}.")
    os.execvp("tail", ["tail", "-n", "100", "-F", str(path)])


@app.command()
def migrate(service: Annotated[str, typer.Argument(help="Whose database.")]) -> None:
    """Bring a service's database to the newest migration; `up` does it too."""
    stack = Stack()
    wait_for_migration(begin_migration(service, stack.urls().databases[_known(service)], stack.state), service, stack.state)
    _say(f"the {service} database is migrated")


@app.command("rebuild-reporting")
def rebuild_reporting() -> None:
    """Make the read model anew from offset 0, beside the live one, compare them and switch."""
    stack = Stack()
    urls = stack.urls()
    about = {"DATABASE_URL": urls.databases["reporting"], "KAFKA_BOOTSTRAP": urls.kafka, "ENTITIES_FILE": str(stack.entities.path)}
    environment = {**os.environ, **about, "TOPIC_PARTITIONS": str(stack.partitions), "ENV": "dev"}
    with _working("folding every fact again"):
        done = subprocess.run([sys.executable, "-m", "chassis", "reporting", "rebuild"], env=environment, check=False)
    if done.returncode:
        raise Trouble("The read model was not rebuilt; the live one is as it was.")


def main() -> None:
    """Run a command; trouble becomes one red line and exit status 1."""
    try:
        app()
    except Trouble as trouble:
        console.print(str(trouble), style="red", markup=False, soft_wrap=True)
        sys.exit(1)


async def _tail(bootstrap: str, topic: str, *, from_start: bool, as_json: bool) -> None:
    show: Any = (lambda record: json.dumps(tailing.as_event(record), ensure_ascii=False)) if as_json else tailing.as_line
    async for record in tailing.records(bootstrap, topic, from_start=from_start):
        print(show(record), flush=True)


def _known(service: str) -> str:
    if service not in SERVICES:
        raise Trouble(f"There is no service {service}: name one of {', '.join(SERVICES)}.")
    return service


def _say(line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


@contextmanager
def _working(what: str) -> Iterator[None]:
    """Show a spinner where somebody watches; Ctrl-C ends with exit status 130."""
    try:
        with console.status(f"{what} …"):
            yield
    except KeyboardInterrupt:
        _say("interrupted; the same command again goes on from here")
        raise typer.Exit(130) from None
