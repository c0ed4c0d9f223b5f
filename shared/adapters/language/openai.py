"""GPT as a judge, by OpenAI's SDK and its Responses API: it reads and looks at pictures."""

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
    from openai.types.responses import Response

SCHEME = "openai"
IMAGE_TOKENS = 6_250
"""2,500 patches at high detail, 2.5 tokens each on the smallest models."""


def connect(url: str, options: Options) -> "OpenAiModel":
    """The judge `openai://MODEL[?endpoint=URL&secret=NAME]`; raises ConfigError."""
    return OpenAiModel(read_place(url, SCHEME), None)


class OpenAiModel:
    """One model; each question is one `responses` call, never repeated here."""

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
        import openai

        try:
            with one_call(self._place, timeout_seconds) as http:
                response = self._create(question, key, timeout_seconds, http)
                return self._answer(question, response, monotonic() - started)
        except openai.APIStatusError as problem:
            if problem.code in ("content_policy_violation", "content_filter"):
                refuse_block(self._place, problem.code)
            refuse_status(
                self._place, problem.status_code, short_code(problem.code or problem.type)
            )
        except openai.APITimeoutError as problem:
            raise timed_out(self._place, timeout_seconds) from problem
        except openai.APIConnectionError as problem:
            raise unreached(self._place, problem) from problem
        except openai.OpenAIError as problem:
            raise AnswerUnusable(f"{self.name}: {type(problem).__name__}") from problem

    def _create(
        self, question: Question, key: str, timeout_seconds: float, http: "httpx2.Client"
    ) -> "Response":
        import openai

        client = openai.OpenAI(
            api_key=key,
            organization="",
            project="",
            base_url=f"{self._place.endpoint or 'https://api.openai.com'}/v1",
            max_retries=0,
            timeout=timeout_seconds,
            http_client=http,
        )
        content: list[Any] = [{"type": "input_text", "text": question.text}]
        for media in question.media:
            data = base64.b64encode(media.content).decode()
            image_url = f"data:{media.media_type};base64,{data}"
            content.append({"type": "input_image", "image_url": image_url, "detail": "high"})
        schema_format: Any = {
            "type": "json_schema",
            "name": "opinion",
            "strict": True,
            "schema": question.answer_schema,
        }
        return client.responses.create(
            model=self._place.model,
            instructions=question.instructions,
            input=[{"role": "user", "content": content}],
            text={"format": schema_format},
            max_output_tokens=question.max_output_tokens,
            reasoning={"effort": self._place.effort} if self._place.effort else openai.omit,
            store=False,
        )

    def _answer(self, question: Question, response: "Response", seconds: float) -> Answer:
        if response.status == "failed":
            code = response.error.code if response.error else ""
            status = 429 if code == "rate_limit_exceeded" else 500
            refuse_status(self._place, status, short_code(code))
        stopped = response.incomplete_details.reason if response.incomplete_details else None
        if stopped == "content_filter":
            refuse_block(self._place, stopped)
        if response.status == "incomplete":
            refuse_truncated(self._place, question)
        texts = []
        for item in response.output:
            for part in item.content if item.type == "message" else ():
                if part.type == "refusal":
                    refuse_block(self._place, "refusal")
                texts.append(part.text)
        used = response.usage
        usage = Usage(
            input_tokens=used.input_tokens if used else 0,
            output_tokens=used.output_tokens if used else 0,
        )
        return Answer(text="".join(texts), model=response.model, usage=usage, seconds=seconds)
