"""Servers of ours that speak the wire formats of the language models' vendors."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "key-canary-77c1"
USED_INPUT, USED_OUTPUT = 1_234, 56


def opinion(overall: float = 70.0, **others: Any) -> dict[str, Any]:
    """An answer in the form that judges are given."""
    scores = dict.fromkeys(("hook", "clarity", "emotion", "call_to_action", "brand"), overall)
    return {
        "scores": {**scores, "overall": overall},
        "ctr_band": "medium",
        "strengths": ["a face at once"],
        "weaknesses": ["no offer"],
        "suggestions": [{"at_seconds": 1.0, "text": "name the price"}],
        "confidence": 0.8,
        **others,
    }


@dataclass(frozen=True)
class Wire:
    """How one vendor asks to be spoken to: path, key, answers and error bodies."""

    scheme: str
    path: str
    authorized: Callable[[Mapping[str, str]], bool]
    answer: Callable[[str], dict[str, Any]]
    blocked: Mapping[str, Any]
    cut: Callable[[str], dict[str, Any]]
    error: Callable[[int], dict[str, Any]]


@dataclass
class VendorState:
    """What the server does next, and what it was asked."""

    wire: Wire
    text: str = field(default_factory=lambda: json.dumps(opinion()))
    texts: list[str] = field(default_factory=list)
    """What it answers one after the other, before it goes on answering `text`."""
    mode: str = "answer"
    status: int = 500
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


def gemini_answer(text: str, finish: str = "STOP") -> dict[str, Any]:
    """A GenerateContentResponse with a thought before the answer."""
    parts = [{"text": "let me think", "thought": True}, {"text": text}]
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": USED_INPUT,
            "candidatesTokenCount": USED_OUTPUT - 6,
            "thoughtsTokenCount": 6,
            "totalTokenCount": USED_INPUT + USED_OUTPUT,
        },
        "modelVersion": "model-1-001",
        "responseId": "r1",
    }


def claude_answer(text: str, stop: str = "end_turn") -> dict[str, Any]:
    """A Message, part of whose input came from a cache."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "model-1-001",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": USED_INPUT - 34,
            "cache_creation_input_tokens": 30,
            "cache_read_input_tokens": 4,
            "output_tokens": USED_OUTPUT,
        },
    }


def openai_answer(text: str, status: str = "completed", reason: str = "") -> dict[str, Any]:
    """A Response of the Responses API."""
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_780_000_000,
        "model": "model-1-001",
        "status": status,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "type": "message",
                "id": "msg_1",
                "status": status,
                "role": "assistant",
                "content": [part],
            },
        ],
        "usage": {
            "input_tokens": USED_INPUT,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": USED_OUTPUT,
            "output_tokens_details": {"reasoning_tokens": 6},
            "total_tokens": USED_INPUT + USED_OUTPUT,
        },
    }


def openai_refusal() -> dict[str, Any]:
    """A Response in which the model refuses."""
    answer = openai_answer("")
    answer["output"][1]["content"] = [{"type": "refusal", "refusal": "I cannot help with that."}]
    return answer


GOOGLE_CODES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
GOOGLE_CODES |= {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}
CLAUDE_CODES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
CLAUDE_CODES |= {500: "api_error", 529: "overloaded_error", 400: "invalid_request_error"}
OPENAI_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "insufficient_quota"}


def gemini_error(status: int) -> dict[str, Any]:
    """google.rpc.Status; a key that is none is a 400 with its reason in the details."""
    details: list[Any] = []
    if status == 401:
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        status, details = 400, [reason]
    code = GOOGLE_CODES.get(status, "UNKNOWN")
    message = f"about {KEY}"
    return {"error": {"code": status, "message": message, "status": code, "details": details}}


WIRES = (
    Wire(
        "gemini",
        "/v1/models/model-1:generateContent",
        lambda headers: headers.get("x-goog-api-key") == KEY,
        gemini_answer,
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "model-1"},
        lambda text: gemini_answer(text, "MAX_TOKENS"),
        gemini_error,
    ),
    Wire(
        "claude",
        "/v1/messages",
        lambda headers: (
            KEY in (headers.get("x-api-key"), headers.get("authorization", "")[7:])
            and "anthropic-version" in headers
        ),
        claude_answer,
        claude_answer("", "refusal"),
        lambda text: claude_answer(text, "max_tokens"),
        lambda status: {
            "type": "error",
            "error": {"type": CLAUDE_CODES.get(status, "api_error"), "message": f"about {KEY}"},
            "request_id": "req_1",
        },
    ),
    Wire(
        "openai",
        "/v1/responses",
        lambda headers: headers.get("authorization") == f"Bearer {KEY}",
        openai_answer,
        openai_refusal(),
        lambda text: openai_answer(text, "incomplete", "max_output_tokens"),
        lambda status: {
            "error": {
                "message": f"about {KEY}",
                "type": "error",
                "param": None,
                "code": OPENAI_CODES.get(status),
            }
        },
    ),
)


@contextmanager
def running_vendor(wire: Wire) -> Iterator[tuple[VendorState, str]]:
    """The state of a server and its URL; whoever hangs is let go at the end."""
    state = VendorState(wire)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append((self.path, body))
            known = self.path == wire.path
            headers = {name.lower(): value for name, value in self.headers.items()}
            if not known:
                self.reply(404, json.dumps(wire.error(404)).encode())
            elif not wire.authorized(headers):
                self.refuse(401)
            else:
                getattr(self, f"do_{state.mode}")()

        def do_answer(self) -> None:
            text = state.texts.pop() if state.texts else state.text
            self.reply(200, json.dumps(wire.answer(text)).encode())

        def do_blocked(self) -> None:
            self.reply(200, json.dumps(wire.blocked).encode())

        def do_cut(self) -> None:
            self.reply(200, json.dumps(wire.cut(state.text)).encode())

        def do_status(self) -> None:
            self.refuse(state.status)

        def do_html(self) -> None:
            self.reply(state.status, b"<html>Bad gateway</html>", "text/html")

        def do_empty_object(self) -> None:
            self.reply(200, b"{}")

        def do_no_json(self) -> None:
            self.reply(200, b'{"candidates": [{"con')

        def do_closed(self) -> None:
            self.close_connection = True

        def do_redirect(self) -> None:
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_huge(self) -> None:
            self.reply(200, json.dumps(wire.answer("x" * 3_000_000)).encode())

        def do_hang(self) -> None:
            state.released.wait(30)
            self.close_connection = True

        def do_drip(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "100000")
            self.end_headers()
            while not state.released.wait(0.05):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def refuse(self, status: int) -> None:
            body = wire.error(status)
            sent = 400 if wire.scheme == "gemini" and status == 401 else status
            self.reply(sent, json.dumps(body).encode())

        def reply(self, status: int, body: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up in the middle is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
