"""Gemini as a judge, by google-genai: it reads, looks at pictures and watches videos."""

import math
from time import monotonic
from typing import TYPE_CHECKING, Self

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
)
from shared.council_models import Answer, Question, Sense, Usage
from shared.errors import AnswerUnusable
from shared.ports import Options, Secrets

if TYPE_CHECKING:
    import httpx2
    from google.genai.errors import APIError
    from google.genai.types import GenerateContentResponse

SCHEME = "gemini"
IMAGE_TOKENS = 1_120
VIDEO_TOKENS_PER_SECOND = 300
"""258 for the one frame a second it looks at and 32 for the sound, as Google counts them."""
BLOCKS = {
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
    *("LANGUAGE", "ESCALATION", "MODEL_ARMOR", "PUP_LIMITED_DISABLED"),
}


def connect(url: str, options: Options) -> "GeminiModel":
    """The judge `gemini://MODEL[?endpoint=URL&secret=NAME]`; raises ConfigError."""
    return GeminiModel(read_place(url, SCHEME), None)


class GeminiModel:
    """One model; each question is one `generateContent` call, never repeated here."""

    senses: frozenset[Sense] = frozenset({"text", "image", "video"})

    def __init__(self, place: Place, secrets: Secrets | None) -> None:
        self._place = place
        self._secrets = secrets
        self.name = place.name

    def with_secrets(self, secrets: Secrets) -> Self:
        """The same model, asked with the key of one tenant."""
        return type(self)(self._place, secrets)

    def estimate(self, question: Question) -> Usage:
        """The most that a call can use."""
        tokens = sum(
            math.ceil(part.seconds * VIDEO_TOKENS_PER_SECOND)
            if part.kind == "video"
            else IMAGE_TOKENS
            for part in question.media
        )
        return estimated(question, tokens)

    def ask(self, question: Question, timeout_seconds: float) -> Answer:
        """Ask once; raises QuotaExceeded, JudgeTimeout, JudgeBlocked, ModelRetired and so on."""
        key, started = key_of(self._place, self._secrets), monotonic()
        from google.genai.errors import APIError

        try:
            with one_call(self._place, timeout_seconds) as http:
                response = self._generate(question, key, timeout_seconds, http)
                return self._answer(question, response, monotonic() - started)
        except APIError as problem:
            refuse_status(self._place, _status_of(problem), short_code(problem.status))

    def _generate(
        self, question: Question, key: str, timeout_seconds: float, http: "httpx2.Client"
    ) -> "GenerateContentResponse":
        from google.genai import Client, types

        options = types.HttpOptions(
            base_url=self._place.endpoint or "https://generativelanguage.googleapis.com",
            timeout=max(1, round(timeout_seconds * 1000)),
            api_version="v1",
            retry_options=types.HttpRetryOptions(attempts=1),
            httpx_client=http,
        )
        # All is said, because the SDK would else take it from the environment.
        client = Client(api_key=key, vertexai=False, http_options=options)
        effort, thinking = self._place.effort, None
        if effort:
            thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel(effort.upper()))
        parts = [types.Part.from_text(text=question.text)]
        for media in question.media:
            parts.append(types.Part.from_bytes(data=media.content, mime_type=media.media_type))
        return client.models.generate_content(
            model=self._place.model,
            contents=types.Content(role="user", parts=parts),
            config=types.GenerateContentConfig(
                system_instruction=question.instructions,
                response_mime_type="application/json",
                response_json_schema=question.answer_schema,
                max_output_tokens=question.max_output_tokens,
                thinking_config=thinking,
            ),
        )

    def _answer(
        self, question: Question, response: "GenerateContentResponse", seconds: float
    ) -> Answer:
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            refuse_block(self._place, str(feedback.block_reason.value))
        if not response.candidates:
            raise AnswerUnusable(f"{self.name}: an answer without a candidate")
        first = response.candidates[0]
        finished = str(first.finish_reason.value) if first.finish_reason else ""
        if finished in BLOCKS:
            refuse_block(self._place, finished)
        if finished == "MAX_TOKENS":
            refuse_truncated(self._place, question)
        parts = (first.content.parts if first.content else None) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        used = response.usage_metadata
        usage = Usage(
            input_tokens=(used and used.prompt_token_count) or 0,
            output_tokens=((used and used.candidates_token_count) or 0)
            + ((used and used.thoughts_token_count) or 0),
        )
        model = response.model_version or self._place.model
        return Answer(text=text, model=model, usage=usage, seconds=seconds)


def _status_of(problem: "APIError") -> int:
    """The HTTP status; Google answers 400 to a key that is none."""
    no_key = problem.code == 400 and "API_KEY_INVALID" in str(problem.details)
    return 401 if no_key else int(problem.code or 0)
