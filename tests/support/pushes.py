"""Requests as Pub/Sub's push sends them, for functions called without a server."""

import base64
import json
from typing import Any

from flask import Request
from werkzeug.test import EnvironBuilder

from shared.events import Event, Message

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def push_json(message: Message, **others: Any) -> dict[str, Any]:
    """The body of a push of one message."""
    return {
        "message": {
            "data": base64.b64encode(message.data).decode(),
            "attributes": dict(message.attributes),
            "messageId": "1",
        },
        "subscription": "projects/p/subscriptions/s",
        **others,
    }


def push_of(event: Event, **attributes: str) -> Request:
    """The push of an event."""
    return request_of(json.dumps(push_json(event.to_message(attributes))).encode())


def request_of(body: bytes, **headers: str) -> Request:
    """A POST with this body."""
    builder = EnvironBuilder(method="POST", data=body, headers=[*headers.items()])
    return Request(builder.get_environ())
