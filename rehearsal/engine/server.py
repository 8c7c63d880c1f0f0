"""Serves moto's APIs on a loopback port of this process; what they may do is decided by the gate in front."""

from __future__ import annotations

import logging
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_SHUTDOWN_POLL_S = 0.02


class MotoServer:
    """moto's threaded server on a free port; unlike moto's own class it ends at once when told to."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
        self.address = ("127.0.0.1", int(self._server.server_port))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _SHUTDOWN_POLL_S}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer nothing any more."""
        self._server.shutdown()
        self._thread.join()
