"""An OpenAI-compatible endpoint on this machine, that does what a test tells it to."""

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What the endpoint does with one request.

    Attributes
    ----------
    status, headers, body
        Of the response; a body that is no bytes is sent as JSON.
    wait : float
        Seconds before anything is sent.
    cut : bool
        Close the connection in the middle of the body.
    drip : float
        Seconds between the bytes of the body.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    cut: bool = False
    drip: float = 0.0


Answers = Callable[[str], Any]
"""From the prompt to a text that the model answers, or to a ``Reply``."""


def completion(text: Any, tokens: Any = None, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """The body of a chat completion; ``tokens`` are (token, probability, {other: probability})."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text} | message,
        "finish_reason": finish,
    }
    if tokens is not None:
        choice["logprobs"] = {"content": [_token(*token) for token in tokens]}
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    return {"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage}


def label(name: str) -> str:
    """An answer in the form that is asked for."""
    return json.dumps({"label": name})


def error(status: int, message: str = "") -> Reply:
    """An error in OpenAI's form."""
    return Reply({"error": {"message": message, "type": "error"}}, status)


class FakeEndpoint:
    """Keeps account of what it was asked.

    Attributes
    ----------
    url : str
    prompts : list of str
        Of all requests, those that failed too.
    bodies, headers : list
        Of all requests.
    at_once, most_at_once : int
        Requests under way now, and at most.
    """

    def __init__(self, url: str, answers: Answers) -> None:
        self.url, self.answers = url, answers
        self.prompts: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most_at_once = self.at_once = 0
        self._lock = threading.Lock()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        """What to do with a request."""
        prompt = body["messages"][-1]["content"]
        with self._lock:
            self.times.append(time.monotonic())
            self.prompts.append(prompt)
            self.bodies.append(body)
            self.headers.append(headers)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        found = self.answers(prompt)
        reply = found if isinstance(found, Reply) else Reply(completion(found))
        time.sleep(reply.wait)
        return reply

    def done(self) -> None:
        """A request was served."""
        with self._lock:
            self.at_once -= 1


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 64
    daemon_threads = True
    endpoint: FakeEndpoint

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing is printed where a client was killed."""


class Handler(BaseHTTPRequestHandler):
    """Serves chat completions."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        """Ask the endpoint what to do, and do it."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.path == "/v1/chat/completions"
        try:
            self._send(self.server.endpoint.take(body, {k.lower(): v for k, v in self.headers.items()}))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.server.endpoint.done()

    def _send(self, reply: Reply) -> None:
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in {"content-type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        if reply.cut:
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif reply.drip:
            for i in range(len(data)):
                self.wfile.write(data[i : i + 1])
                self.wfile.flush()
                time.sleep(reply.drip)
        else:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@contextmanager
def fake_endpoint(answers: Answers) -> Iterator[FakeEndpoint]:
    """A server on the loopback that lives as long as the block."""
    server = Server(("127.0.0.1", 0), Handler)
    server.endpoint = FakeEndpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _token(token: str, chance: float, others: Mapping[str, float]) -> dict[str, Any]:
    def entry(text: str, share: float) -> dict[str, Any]:
        return {"token": text, "logprob": math.log(share), "bytes": list(text.encode())}

    return entry(token, chance) | {"top_logprobs": [entry(t, s) for t, s in {token: chance, **others}.items()]}
