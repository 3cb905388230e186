"""Apache Kafka as a child process: one KRaft node on 127.0.0.1, small enough for two cores, its data kept between runs."""

import base64
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from launcher import jars, ports, topics
from launcher.folders import State
from launcher.processes import Identity, Register, last_words
from launcher.trouble import ServerDied, Trouble

NAME = "kafka"
_READY_SECONDS_MAX = 60.0
_STOP_SECONDS_MAX = 20.0
_POLL_SECONDS = 0.1

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners={listeners},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners={advertised}
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listener.security.protocol.map={protocols},CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# Tests kill consumers: with the default of 6 s every one of them would keep its partitions that long.
group.min.session.timeout.ms=500
# After a crash the controller waits this long before it lets the broker's next life in.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
# Two cores, shared with everything else.
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.threads=1
num.recovery.threads.per.data.dir=2
# Topics say their own retention; deleted ones leave the disk at once, and indexes are mapped small: there are many partitions.
log.segment.bytes=268435456
log.index.size.max.bytes=1048576
log.segment.delete.delay.ms=1000
"""

_LOGGING = """\
status=ERROR
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=WARN
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
"""


class Kafka:
    """
    The broker of one state folder. `begin` and `wait` are apart so that other servers can start meanwhile.

    :param full_jit: spend start-up time on the optimising compiler (benchmarks), not only on the quick one.
    :param advertised: more listeners by name (letters, digits, _), each with the port its clients are sent to: that of a proxy before it.
    :param data: where the log lies, if not in the state folder.
    """

    def __init__(
        self,
        state: State,
        say: Callable[[str], None],
        *,
        full_jit: bool = False,
        advertised: Mapping[str, int] | None = None,
        data: Path | None = None,
    ) -> None:
        self._state = state
        self._say = say
        self._full_jit = full_jit
        self._advertised = dict(advertised or {})
        self.register = Register(state.run)
        self._folder = state.folder / "kafka"
        self._data = data or self._folder / "data"
        self._log = state.logs / "kafka.log"
        self._begun_at: float | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients, known once the broker was started for the first time."""
        return f"{ports.HOST}:{self._state.recall('ports')[NAME]}"

    def port_behind(self, listener: str) -> int:
        """Return the port a listener of `advertised` really has, known once the broker was started for the first time."""
        port: int = self._state.recall("ports")[_port_name(listener)]
        return port

    def running(self) -> Identity | None:
        """Return the broker's process when it is alive and ours."""
        return self.register.find(NAME)

    def begin(self) -> None:
        """
        Start the broker unless it runs; do not wait for it.

        :raises NoJava: nothing to run it with.
        :raises JarsUnreachable: the first start needs the network.
        :raises Trouble: its data folder cannot be formatted.
        """
        if self.running() and NAME in self._state.recall("ports"):
            self._begun_at = None
            self._say(f"Kafka runs already on {self.bootstrap}")
            return
        self.stop()  # There is one only where the state folder was removed under it.
        self._begun_at = time.monotonic()
        self._folder.mkdir(exist_ok=True)
        properties = self._folder / "server.properties"
        properties.write_text(self._properties())
        logging = self._folder / "log4j2.properties"
        logging.write_text(_LOGGING)
        class_path = ":".join(str(jar) for jar in jars.class_path(self._say))
        options = [f"-Dlog4j2.configurationFile={logging}", "-Djava.awt.headless=true", "-XX:-UsePerfData"]
        java = [str(jars.find_java()), *options, "-cp", class_path]
        self._format([*java, "-XX:TieredStopAtLevel=1"])
        quick = [] if self._full_jit else ["-XX:TieredStopAtLevel=1"]
        heap = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"]
        self.register.start(
            NAME, [*java, *heap, *quick, "kafka.Kafka", str(properties)], log=self._log, environment=os.environ, folder=self._folder
        )

    def wait(self) -> str:
        """
        Wait until the broker answers for metadata and has a group coordinator: its port opens a moment earlier. Return `host:port`.

        :raises ServerDied: it ended, or did not answer within a minute.
        """
        deadline = time.monotonic() + _READY_SECONDS_MAX
        port = int(self.bootstrap.rpartition(":")[2])
        while not (ports.answers(port) and topics.coordinator_found(self.bootstrap)):
            if not self.running():
                raise ServerDied("Kafka", self._log, last_words(self._log))
            if time.monotonic() > deadline:
                raise ServerDied("Kafka", self._log, last_words(self._log), f"did not answer within {_READY_SECONDS_MAX:.0f} s")
            time.sleep(_POLL_SECONDS)
        if self._begun_at is not None:
            self._say(f"Kafka answers on {self.bootstrap} ({time.monotonic() - self._begun_at:.1f} s)")
        return self.bootstrap

    def stop(self) -> bool:
        """Stop the broker; say whether it ran."""
        return self.register.stop(NAME, patience_seconds=_STOP_SECONDS_MAX)

    def _properties(self) -> str:
        """Choose ports for what has none yet and write the settings down. The first listener is the broker's own."""
        port, controller_port = ports.keep_or_choose(self._state, NAME), ports.keep_or_choose(self._state, "kafka_controller")
        listeners, advertised = {"PLAINTEXT": port}, {"PLAINTEXT": port}
        for name, sent_to in self._advertised.items():
            listeners[name.upper()] = ports.keep_or_choose(self._state, _port_name(name))
            advertised[name.upper()] = sent_to
        return _PROPERTIES.format(
            listeners=",".join(f"{name}://{ports.HOST}:{port}" for name, port in listeners.items()),
            advertised=",".join(f"{name}://{ports.HOST}:{port}" for name, port in advertised.items()),
            protocols=",".join(f"{name}:PLAINTEXT" for name in listeners),
            controller_port=controller_port,
            data=self._data,
        ) + "".join(f"listener.name.{name.lower()}.num.network.threads=1\n" for name in self._advertised)

    def _format(self, java: list[str]) -> None:
        """Prepare the data folder, once: the mark beside it is written last, so that an interrupted attempt is repeated."""
        done, data = self._folder / "formatted", self._data
        if done.exists() and data.exists():
            return
        shutil.rmtree(data, ignore_errors=True)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        # One word with its option: every 64th id begins with a hyphen, and would be taken for an option itself.
        tool = [
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            f"--cluster-id={cluster}",
            "-c",
            str(self._folder / "server.properties"),
        ]
        result = subprocess.run([*java, *tool], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            words = (result.stderr or result.stdout).strip().splitlines()
            raise Trouble(f"Kafka's data folder {data} could not be formatted: {words[-1] if words else 'no reason given'}")
        done.touch()


def _port_name(listener: str) -> str:
    return f"kafka_{listener}"


def reachable(bootstrap: str) -> bool:
    """Say whether a broker that was given to us listens."""
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except (OSError, ValueError):
        return False
    return True
