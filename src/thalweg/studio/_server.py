"""The studio's server: one a process, in a thread of its own, on this machine's own address alone."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from thalweg.studio._house import House

if TYPE_CHECKING:
    from thalweg.studio._rows import Again
    from thalweg.studio._studio import Studio

HERE = "127.0.0.1"
_READY = 10.0  # seconds within which a server listens


class Server:
    """Serves the page.

    Args:
        house: what it shows.
        port: to listen on; 0: a free one.

    Attributes:
        token: whoever has it may look and steer.
        port: that is listened on.

    Raises:
        ImportError: where the extra ``studio`` is missing.
        OSError: where the port is taken.

    """

    _shared: Server | None = None
    _lock = threading.Lock()

    def __init__(self, house: House, port: int = 0) -> None:
        require_studio()
        self.house, self.token = house, secrets.token_urlsafe(24)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HERE, port))
        except OSError as error:
            self._socket.close()
            raise OSError(
                error.errno, f"The studio cannot listen on port {port}: {error.strerror}. Give another one."
            ) from None
        self.port = int(self._socket.getsockname()[1])
        self._server: Any = None

    @classmethod
    def of_process(cls, runs: Path, port: int = 0, again: Again | None = None) -> Server:
        """The server of this process, started with the first fit that wants one."""
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls(House(runs, again=again), port)
                cls._shared.start()
            return cls._shared

    @property
    def link(self) -> str:
        """To the page, with the token."""
        return f"http://{HERE}:{self.port}/?token={self.token}"

    def link_to(self, studio: Studio) -> str:
        """To the page of one fit."""
        return f"{self.link}#run={quote(self.house.number_of(studio), safe='')}"

    def show(self, studio: Studio) -> None:
        """Have the page show a fit of this process, which other processes find by its run folder."""
        self.house.add(studio)
        folder = studio.run_folder.folder
        if folder is not None:
            self.house.leave_word(folder, self.port, self.token, self.house.number_of(studio))

    def start(self) -> None:
        """Listen in a thread; returns once it does."""
        thread = threading.Thread(target=self.run, name="thalweg-studio", daemon=True)
        thread.start()
        until = time.monotonic() + _READY
        while not (self._server and self._server.started):
            if not thread.is_alive() or time.monotonic() > until:
                raise OSError(f"The studio does not come up on port {self.port}.")
            time.sleep(0.01)

    def run(self) -> None:
        """Listen until :meth:`stop`."""
        import uvicorn

        from thalweg.studio._app import app_of

        app = app_of(self.house, self.token, self.port)
        how = uvicorn.Config(
            app, log_level="critical", lifespan="off", ws_max_size=1 << 20, ws_max_queue=4, ws_per_message_deflate=False, timeout_keep_alive=5,
            access_log=False, server_header=False,
        )  # fmt: skip
        self._server = uvicorn.Server(how)
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Let go of the port."""
        if self._server is not None:
            self._server.should_exit = True


def require_studio() -> None:
    """Make sure that the page can be served.

    Raises:
        ImportError: where something is missing; it is in the extra ``studio``.

    """
    try:
        import plotly  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as missing:
        raise ImportError("The studio needs the extra: pip install 'thalweg[studio]'") from missing
