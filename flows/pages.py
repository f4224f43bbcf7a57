"""The report and Data Docs on loopback: browsers follow no file:// link from an HTTP page."""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What is served of a workspace, and nothing else.
SERVED = ("reports", "runs/data_docs")


class Pages(SimpleHTTPRequestHandler):
    """Files below SERVED; 404 for every other path."""

    def send_head(self) -> Any:
        """Answer GET and HEAD, unless the file lies elsewhere (links are followed first)."""
        root = Path(self.directory).resolve()
        path = Path(self.translate_path(self.path)).resolve()
        if not any(path.is_relative_to(root / name) for name in SERVED):
            self.send_error(404)
            return None
        return super().send_head()


def serve(root: Path, host: str, port: int) -> None:
    """Serve the pages of the workspace at ``root`` until the process ends."""
    with ThreadingHTTPServer((host, port), partial(Pages, directory=str(root))) as server:
        server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
