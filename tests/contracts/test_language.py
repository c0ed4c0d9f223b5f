"""Every language model's adapter, by its vendor's real SDK, against servers of ours."""

import base64
import json
import threading
import time
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.secrets import file
from shared.council_models import Media, Question
from shared.council_ports import LanguageModel
from shared.domain.council.questions import opinion_schema
from shared.errors import (
    AnswerUnusable,
    ConfigError,
    JudgeBlocked,
    JudgeTimeout,
    JudgeUnavailable,
    KeyRefused,
    ModelRetired,
    PipelineError,
    QuotaExceeded,
    Rejected,
    SecretMissing,
)
from shared.models import CouncilRules
from shared.ports import Options, Secrets
from tests.support.vendors import (
    KEY,
    USED_INPUT,
    USED_OUTPUT,
    WIRES,
    VendorState,
    Wire,
    running_vendor,
)

QUESTION = Question(
    instructions="judge",
    text="the case",
    answer_schema=opinion_schema(False),
    max_output_tokens=500,
)
SHEET = Media(kind="image", media_type="image/jpeg", content=b"\xff\xd8sheet")
CLIP = Media(kind="video", media_type="video/mp4", content=b"clip", seconds=30.0)
TIMEOUT_SECONDS = 20.0
ELSEWHERE = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "ANTHROPIC_AUTH_TOKEN": "of-the-environment",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
    "OPENAI_BASE_URL": "http://127.0.0.1:9",
    "OPENAI_ORG_ID": "org-of-the-environment",
    "GOOGLE_GENAI_USE_VERTEXAI": "true",
    "GOOGLE_GENAI_API_VERSION": "beta",
}
"""What the SDKs would take from this machine if they were let."""


@pytest.fixture(params=WIRES, ids=[wire.scheme for wire in WIRES])
def vendor(request: pytest.FixtureRequest) -> Iterator[tuple[VendorState, str]]:
    """Every vendor in turn, as a server of this test."""
    with running_vendor(request.param) as running:
        yield running


@pytest.fixture
def state(vendor: tuple[VendorState, str]) -> VendorState:
    """What the vendor does and was asked."""
    return vendor[0]


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    """A tenant's secrets with a key for every vendor."""
    store = file.connect(f"file://{tmp_path}/secrets", Options())
    for wire in WIRES:
        store.put(f"{wire.scheme}-api-key", KEY)
    return store


@pytest.fixture
def model(
    vendor: tuple[VendorState, str], secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> LanguageModel:
    """The vendor's adapter, whatever keys and proxies this machine has set."""
    for name in ("GEMINI", "GOOGLE", "ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", "of-the-environment")
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
    state, url = vendor
    return connected(state.wire, f"?endpoint={url}").with_secrets(secrets)


def connected(wire: Wire, query: str = "", model: str = "model-1") -> LanguageModel:
    """A vendor's adapter without a key."""
    adapter = import_module(f"shared.adapters.language.{wire.scheme}")
    made: LanguageModel = adapter.connect(f"{wire.scheme}://{model}{query}", Options())
    return made


def test_an_answer_comes_with_its_model_and_what_it_used(
    model: LanguageModel, state: VendorState
) -> None:
    answer = model.ask(QUESTION, TIMEOUT_SECONDS)
    assert answer.text == state.text
    assert answer.model == "model-1-001"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (USED_INPUT, USED_OUTPUT)
    assert answer.seconds > 0


def test_the_question_is_sent_once_with_its_form_and_its_limit(
    model: LanguageModel, state: VendorState
) -> None:
    model.ask(QUESTION, TIMEOUT_SECONDS)
    ((_, body),) = state.requests
    sent = json.dumps(body)
    assert "judge" in sent
    assert "the case" in sent
    assert json.dumps(dict(QUESTION.answer_schema)) in sent
    limits = (body.get("max_tokens"), body.get("max_output_tokens"))
    assert 500 in (*limits, body.get("generationConfig", {}).get("maxOutputTokens"))
    assert not body.get("stream")
    assert not body.get("tools")


def test_how_long_a_model_thinks_can_be_set(
    vendor: tuple[VendorState, str], secrets: Secrets
) -> None:
    state, url = vendor
    connected(state.wire, f"?endpoint={url}").with_secrets(secrets).ask(QUESTION, TIMEOUT_SECONDS)
    low = connected(state.wire, f"?endpoint={url}&effort=low").with_secrets(secrets)
    low.ask(QUESTION, TIMEOUT_SECONDS)
    unset, set_low = (json.dumps(body) for _, body in state.requests)
    assert '"low"' in set_low.lower()
    assert '"low"' not in unset.lower().replace('"low", "medium"', "")


def test_what_a_model_can_see_is_sent_with_the_question(
    model: LanguageModel, state: VendorState
) -> None:
    question = QUESTION.model_copy(update={"media": (SHEET, CLIP)}).for_senses(model.senses)
    model.ask(question, TIMEOUT_SECONDS)
    seen = CLIP if "video" in model.senses else SHEET
    unseen = SHEET if "video" in model.senses else CLIP
    sent = json.dumps(state.requests[0][1])
    assert base64.b64encode(seen.content).decode() in sent
    assert seen.media_type in sent
    assert base64.b64encode(unseen.content).decode() not in sent


def test_an_estimate_is_never_less_than_what_the_question_can_use(model: LanguageModel) -> None:
    plain = model.estimate(QUESTION)
    schema_characters = len(json.dumps(dict(QUESTION.answer_schema)))
    assert plain.input_tokens > (len("judge" + "the case") + schema_characters) / 3
    assert plain.output_tokens == QUESTION.max_output_tokens
    chinese = QUESTION.model_copy(update={"text": "立即购买" * 1_000})
    assert model.estimate(chinese).input_tokens >= 1.4 * 4_000
    shown = QUESTION.model_copy(update={"media": (SHEET,)})
    assert model.estimate(shown).input_tokens >= plain.input_tokens + 1_000


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, QuotaExceeded),
        (401, KeyRefused),
        (404, ModelRetired),
        (500, JudgeUnavailable),
        (503, JudgeUnavailable),
        (529, JudgeUnavailable),
        (400, Rejected),
    ],
)
def test_an_error_of_the_vendor_is_classed_after_one_call_and_shows_no_key(
    model: LanguageModel, state: VendorState, status: int, error: type[PipelineError]
) -> None:
    state.mode, state.status = "status", status
    with pytest.raises(error) as caught:
        model.ask(QUESTION, TIMEOUT_SECONDS)
    assert type(caught.value) is error
    assert len(state.requests) == 1
    assert model.name in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [429, 502, 503])
def test_an_error_page_instead_of_json_is_classed_by_its_status(
    model: LanguageModel, state: VendorState, status: int
) -> None:
    state.mode, state.status = "html", status
    with pytest.raises(QuotaExceeded if status == 429 else JudgeUnavailable):
        model.ask(QUESTION, TIMEOUT_SECONDS)
    assert len(state.requests) == 1


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("blocked", JudgeBlocked),
        ("cut", AnswerUnusable),
        ("empty_object", AnswerUnusable),
        ("no_json", AnswerUnusable),
        ("huge", AnswerUnusable),
        ("closed", JudgeUnavailable),
    ],
)
def test_an_answer_that_is_none_is_classed(
    model: LanguageModel, state: VendorState, mode: str, error: type[PipelineError]
) -> None:
    state.mode = mode
    with pytest.raises(error):
        model.ask(QUESTION, TIMEOUT_SECONDS)
    assert len(state.requests) == 1


def test_a_redirect_is_not_followed_with_the_key(model: LanguageModel, state: VendorState) -> None:
    state.mode = "redirect"
    with pytest.raises(PipelineError) as caught:
        model.ask(QUESTION, TIMEOUT_SECONDS)
    assert not isinstance(caught.value, JudgeTimeout)
    assert len(state.requests) == 1


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_vendor_that_hangs_or_drips_bytes_is_left_in_time(
    model: LanguageModel, state: VendorState, mode: str
) -> None:
    model.ask(QUESTION, TIMEOUT_SECONDS)
    state.mode, started = mode, time.monotonic()
    with pytest.raises(JudgeTimeout, match=r"no answer in 0\.5 s"):
        model.ask(QUESTION, 0.5)
    assert time.monotonic() - started < 2.0
    assert len(state.requests) == 2


def test_the_key_is_that_of_the_tenant_and_a_missing_one_says_how_to_set_it(
    model: LanguageModel, secrets: Secrets, state: VendorState
) -> None:
    model.ask(QUESTION, TIMEOUT_SECONDS)
    with pytest.raises(SecretMissing, match=f"{state.wire.scheme}-api-key"):
        model.with_secrets(secrets.for_tenant("other")).ask(QUESTION, TIMEOUT_SECONDS)
    secrets.put(f"{state.wire.scheme}-api-key", "key-of-nobody")
    with pytest.raises(KeyRefused, match=f"{state.wire.scheme}-api-key"):
        model.ask(QUESTION, TIMEOUT_SECONDS)


def test_a_key_appears_in_no_traceback_and_no_name(
    model: LanguageModel, state: VendorState
) -> None:
    state.mode, state.status = "status", 401
    with pytest.raises(KeyRefused) as caught:
        model.ask(QUESTION, TIMEOUT_SECONDS)
    assert KEY not in repr(model)
    last = traceback.format_exception_only(caught.value)
    assert KEY not in "".join(last)


def test_nobody_is_asked_without_secrets(state: VendorState) -> None:
    with pytest.raises(ConfigError, match="no secrets"):
        connected(state.wire).ask(QUESTION, TIMEOUT_SECONDS)


def test_two_questions_at_once_do_not_disturb_each_other(
    model: LanguageModel, state: VendorState
) -> None:
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(model.ask(QUESTION, TIMEOUT_SECONDS).text))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [state.text] * 4


@pytest.mark.parametrize("wire", WIRES, ids=[wire.scheme for wire in WIRES])
@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("", ""),
        ("model-1", "?endpoint=http://example.com"),
        ("model-1", "?endpoint=https://user@example.com"),
        ("model-1", "?endpoint=file:///etc/passwd"),
        ("model-1", "?key=secret"),
        ("model-1", "?effort=endless"),
        ("../model-1", ""),
        ("model/../../x", ""),
        ("mo del", ""),
    ],
)
def test_a_url_that_is_none_is_refused(wire: Wire, model: str, query: str) -> None:
    with pytest.raises(ConfigError, match=f"expected {wire.scheme}://MODEL"):
        connected(wire, query, model)


def test_the_form_of_an_answer_is_one_that_every_vendor_takes() -> None:
    """Every property required, no other, no reference, none of the bounds that some refuse."""
    for deep in (False, True):
        form = opinion_schema(deep)
        assert ("scenes" in form["properties"]) is deep
        text = json.dumps(form)
        for word in ("$ref", "$defs", "minimum", "maximum", "maxLength", "maxItems", "default"):
            assert f'"{word}"' not in text
        for part in objects_in(form):
            assert part["additionalProperties"] is False
            assert part["required"] == [*part["properties"]]


def objects_in(schema: object) -> Iterator[dict[str, Any]]:
    """Every object schema within a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects_in(value)
    if isinstance(schema, list):
        for value in schema:
            yield from objects_in(value)


def test_the_longest_answer_is_a_setting() -> None:
    assert CouncilRules().max_output_tokens == 4_000
