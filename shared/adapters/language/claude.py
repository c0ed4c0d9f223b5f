"""Claude as a judge, by Anthropic's SDK: it reads and looks at pictures."""

import base64
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from shared.adapters.language.rules import (
    Place,
    estimated,
    key_of,
    one_call,
    read_place,
    refuse_block,
    refuse_status,
    refuse_truncated,
    short_code,
    timed_out,
    unreached,
)
from shared.council_models import Answer, Question, Sense, Usage
from shared.errors import AnswerUnusable
from shared.ports import Options, Secrets

if TYPE_CHECKING:
    import httpx2
    from anthropic.types import Message, OutputConfigParam

SCHEME = "claude"
IMAGE_TOKENS = 5_000


def connect(url: str, options: Options) -> "ClaudeModel":
    """The judge `claude://MODEL[?endpoint=URL&secret=NAME]`; raises ConfigError."""
    return ClaudeModel(read_place(url, SCHEME), None)


class ClaudeModel:
    """One model; each question is one `messages` call, never repeated here."""

    senses: frozenset[Sense] = frozenset({"text", "image"})

    def __init__(self, place: Place, secrets: Secrets | None) -> None:
        self._place = place
        self._secrets = secrets
        self.name = place.name

    def with_secrets(self, secrets: Secrets) -> Self:
        """The same model, asked with the key of one tenant."""
        return type(self)(self._place, secrets)

    def estimate(self, question: Question) -> Usage:
        """The most that a call can use."""
        return estimated(question, IMAGE_TOKENS * len(question.media))

    def ask(self, question: Question, timeout_seconds: float) -> Answer:
        """Ask once; raises QuotaExceeded, JudgeTimeout, JudgeBlocked, ModelRetired and so on."""
        key, started = key_of(self._place, self._secrets), monotonic()
        import anthropic

        try:
            with one_call(self._place, timeout_seconds) as http:
                message = self._create(question, key, timeout_seconds, http)
                return self._answer(question, message, monotonic() - started)
        except anthropic.APIStatusError as problem:
            refuse_status(self._place, problem.status_code, short_code(problem.type))
        except anthropic.APITimeoutError as problem:
            raise timed_out(self._place, timeout_seconds) from problem
        except anthropic.APIConnectionError as problem:
            raise unreached(self._place, problem) from problem
        except anthropic.APIError as problem:
            raise AnswerUnusable(f"{self.name}: {type(problem).__name__}") from problem

    def _create(
        self, question: Question, key: str, timeout_seconds: float, http: "httpx2.Client"
    ) -> "Message":
        import anthropic

        client = anthropic.Anthropic(
            api_key=key,
            base_url=self._place.endpoint or "https://api.anthropic.com",
            max_retries=0,
            timeout=timeout_seconds,
            http_client=http,
        )
        content: list[Any] = [{"type": "text", "text": question.text}]
        for media in question.media:
            source = {
                "type": "base64",
                "media_type": media.media_type,
                "data": base64.b64encode(media.content).decode(),
            }
            content.append({"type": "image", "source": source})
        schema = dict(question.answer_schema)
        output: OutputConfigParam = {"format": {"type": "json_schema", "schema": schema}}
        if self._place.effort:
            output["effort"] = self._place.effort
        return client.messages.create(
            model=self._place.model,
            max_tokens=question.max_output_tokens,
            system=question.instructions,
            messages=[{"role": "user", "content": content}],
            output_config=output,
        )

    def _answer(self, question: Question, message: "Message", seconds: float) -> Answer:
        if message.stop_reason == "refusal":
            refuse_block(self._place, "refusal")
        if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
            refuse_truncated(self._place, question)
        text = "".join(block.text for block in message.content if block.type == "text")
        used = message.usage
        cached = (used.cache_creation_input_tokens or 0) + (used.cache_read_input_tokens or 0)
        usage = Usage(input_tokens=used.input_tokens + cached, output_tokens=used.output_tokens)
        return Answer(text=text, model=message.model, usage=usage, seconds=seconds)
