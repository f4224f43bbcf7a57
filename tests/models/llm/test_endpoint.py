from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from polite_flamingo.core.errors import UserError
from polite_flamingo.core.params import LlmParams
from polite_flamingo.models.llm import load_llm
from polite_flamingo.models.llm.endpoint import ChatEndpoint
from polite_flamingo.models.llm.scripted import ScriptedShortener

Reply = tuple[int, Any]


class Server:
    """A chat endpoint on the loopback that gives the replies of a list, the last for ever."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append(json.loads(body))
                server.headers.append(dict(self.headers))
                server.paths.append(self.path)
                status, content = server.replies[min(len(server.asked), len(server.replies)) - 1]
                if isinstance(content, str):
                    content = {"choices": [{"message": {"content": content}}]}
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def endpoint(server: Server, pauses: list[float]) -> Callable[..., ChatEndpoint]:
    def make(**changes: Any) -> ChatEndpoint:
        settings = {"url": server.url, "model": "m", "retries": 2, "sleep": pauses.append}
        return ChatEndpoint(**{**settings, **changes})

    return make


MESSAGES = [{"role": "user", "content": "Hello?"}]


def test_messages_prefill_and_settings_go_out(
    server: Server, endpoint: Callable[..., ChatEndpoint]
) -> None:
    server.replies = [(200, 'blue" he said')]
    llm = endpoint(api_key="k", max_new_tokens=7)
    assert llm.complete(MESSAGES, prefill='It is "', stop=('"',), seed=3) == "blue"
    asked = server.asked[0]
    assert server.paths == ["/v1/chat/completions"]
    assert asked["messages"] == [*MESSAGES, {"role": "assistant", "content": 'It is "'}]
    assert (asked["model"], asked["max_tokens"], asked["stop"], asked["seed"]) == ("m", 7, ['"'], 3)
    assert server.headers[0]["Authorization"] == "Bearer k"
    assert MESSAGES == [{"role": "user", "content": "Hello?"}]


def test_a_repeated_prefill_is_taken_off(
    server: Server, endpoint: Callable[..., ChatEndpoint]
) -> None:
    server.replies = [(200, ' It is "blue" now')]
    assert endpoint().complete(MESSAGES, prefill='It is "', stop=('"',)) == "blue"


def test_busy_answers_are_tried_again_with_growing_pauses(
    server: Server, endpoint: Callable[..., ChatEndpoint], pauses: list[float]
) -> None:
    server.replies = [(503, {}), (429, {}), (200, "ok")]
    assert endpoint().complete(MESSAGES) == "ok"
    assert len(server.asked) == 3
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    ("reply", "calls", "words"),
    [
        ((500, {}), 3, "HTTP 500"),
        ((401, {"error": "bad\nkey"}), 1, "HTTP 401"),
        ((200, b"<html>"), 3, "not a chat completion"),
        ((200, {"choices": []}), 3, "not a chat completion"),
        ((200, {"choices": [{"message": {"content": None}}]}), 3, "not a chat completion"),
    ],
)
def test_a_lasting_failure_is_a_one_line_error(
    server: Server, endpoint: Callable[..., ChatEndpoint], reply: Reply, calls: int, words: str
) -> None:
    server.replies = [reply]
    with pytest.raises(UserError, match=words) as error:
        endpoint(api_key="sesame").complete(MESSAGES)
    assert "\n" not in str(error.value) and "sesame" not in str(error.value)
    assert len(server.asked) == calls


def test_nobody_listening_is_a_one_line_error(endpoint: Callable[..., ChatEndpoint]) -> None:
    with pytest.raises(UserError, match="llm endpoint"):
        endpoint(url="http://127.0.0.1:9/v1", retries=0).complete(MESSAGES)


def test_a_slow_server_times_out(server: Server) -> None:
    # A socket that listens and never answers.
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(UserError, match="timed out"):
            ChatEndpoint(url=url, model="m", timeout_seconds=0.1, retries=0).complete(MESSAGES)


def test_parameters_choose_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(load_llm(LlmParams(kind="scripted")), ScriptedShortener)
    with pytest.raises(UserError, match="url and model"):
        load_llm(LlmParams(kind="endpoint", model="m"))
    with pytest.raises(UserError, match="needs model"):
        load_llm(LlmParams(kind="local"))
    settings = LlmParams(kind="endpoint", model="m", url="http://x/v1", api_key_env="PF_TEST_KEY")
    monkeypatch.delenv("PF_TEST_KEY", raising=False)
    with pytest.raises(UserError, match="PF_TEST_KEY"):
        load_llm(settings)
    monkeypatch.setenv("PF_TEST_KEY", "sesame")
    llm = load_llm(settings)
    assert isinstance(llm, ChatEndpoint) and llm.api_key == "sesame"
    assert "sesame" not in repr(llm)
