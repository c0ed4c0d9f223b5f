"""A web server of ours over a folder, for what fetches files."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...

    def send_header(self, keyword: str, value: str) -> None:
        """Of what is called cut.*, more is promised than given, as when a connection breaks."""
        cut = keyword == "Content-Length" and self.path.startswith("/cut.")
        super().send_header(keyword, "1000" if cut else value)


@contextmanager
def web_of(folder: Path) -> Iterator[str]:
    """Serves a folder on this machine; gives its address without a slash at the end."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
