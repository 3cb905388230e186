"""Serving HTTP inside a process that has other things to do: our own socket, our own signals, a bounded end."""

import asyncio
import contextlib
import socket
from typing import Any

import uvicorn

GRACE_S_MAX = 8


class PortTaken(Exception):
    """Another process listens on our port; the message says which port and what to do."""


def bind(host: str, port: int) -> socket.socket:
    """
    Take the port before anything else is started.

    :raises PortTaken: somebody listens there already, or the address is not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on {host}:{port} ({error.strerror}): stop what uses it or set HTTP_PORT to a free one") from error
    listener.listen(512)
    return listener


class HttpServer:
    """An ASGI application on a bound socket, until stopped."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_S_MAX,
            timeout_keep_alive=30,
        )
        self._server = uvicorn.Server(config)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        self._listener = listener

    async def run(self) -> None:
        """Serve until `stop`; requests in flight are answered first, for at most 8 seconds."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        self._server.should_exit = True


async def closed(task: "asyncio.Task[None]", seconds: float) -> None:
    """Wait for a task to end by itself, then cut it."""
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
