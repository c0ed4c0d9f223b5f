"""Settings: none needed, each documented, each wrong one named."""

import os

import pytest
from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from shared.config import PREFIX, Settings, read_settings
from shared.errors import ConfigError

FIELDS = Settings.model_fields
PORTS = ["files", "bus", "documents", "secrets", "schedules", "alerts", "tables"]
NUMBERS = sorted(name for name, field in FIELDS.items() if field.annotation in (int, float))


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine sets, these tests start without it."""
    for name in list(os.environ):
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_description_and_a_default(name: str) -> None:
    assert len(FIELDS[name].description or "") > 10
    assert FIELDS[name].default is not PydanticUndefined


def test_no_environment_is_the_laptop() -> None:
    settings = read_settings()
    assert settings == Settings.model_construct()
    assert settings.tenant_id == "local"
    schemes = {port: getattr(settings, port).partition("://")[0] for port in PORTS}
    assert set(schemes.values()) == {"file", "sqlite", "console", "duckdb"}


@pytest.mark.parametrize("name", FIELDS)
def test_every_default_is_a_value_that_the_setting_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(FIELDS[name].default))
    assert getattr(read_settings(), name) == FIELDS[name].default


def test_the_environment_sets_what_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINIVIDEO_FILES", "gs://ads")
    monkeypatch.setenv("GEMINIVIDEO_LOCAL_PORT", "0")
    monkeypatch.setenv("FILES", "gs://not-ours")
    monkeypatch.setenv("GEMINIVIDEO_NOT_A_SETTING", "1")
    settings = read_settings()
    assert (settings.files, settings.local_port) == ("gs://ads", 0)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["many", "", "-1000000000000", "nan"])
def test_a_wrong_number_is_named_with_its_value(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name.upper()}", value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"{PREFIX}{name.upper()}={value!r}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TENANT_ID", "Acme"),
        ("TENANT_ID", "../acme"),
        ("TENANT_ID", "acme\n"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "debug"),
        ("STAGE_TIMEOUT_SECONDS", "29"),
        ("STAGE_TIMEOUT_SECONDS", "3601"),
        ("MAX_DELIVERY_ATTEMPTS", "4"),
        ("RETRY_MAX_SECONDS", "601"),
        ("MAX_VIDEO_SECONDS", "0"),
        ("MAX_UPLOAD_BYTES", "1e3"),
        ("LOCAL_PORT", "65536"),
    ],
)
def test_a_value_out_of_its_range_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert str(caught.value).startswith(f"{PREFIX}{name}={value!r}: ")


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINIVIDEO_LOCAL_PORT", "x")
    monkeypatch.setenv("GEMINIVIDEO_LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert "GEMINIVIDEO_LOCAL_PORT='x'" in str(caught.value)
    assert "GEMINIVIDEO_LOG_LEVEL='LOUD'" in str(caught.value)


@pytest.mark.parametrize("name", FIELDS)
def test_a_setting_cannot_be_changed(name: str) -> None:
    settings = read_settings()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(settings, name, getattr(settings, name))


def test_limits_are_the_settings_as_the_domain_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "MAX_UPLOAD_BYTES": "11",
        "MAX_VIDEO_SECONDS": "12.5",
        "MAX_VIDEO_SIDE_PIXELS": "16",
        "MAX_VIDEO_FPS": "13",
        "MAX_VIDEO_STREAMS": "3",
        "STAGE_TIMEOUT_SECONDS": "100",
        "MAX_DECODE_MEMORY_BYTES": "500000001",
    }
    for name, value in values.items():
        monkeypatch.setenv(PREFIX + name, value)
    assert read_settings().limits.model_dump() == {
        "max_bytes": 11,
        "max_seconds": 12.5,
        "max_side_pixels": 16,
        "max_fps": 13.0,
        "max_streams": 3,
        "deadline_seconds": 80.0,
        "max_memory_bytes": 500_000_001,
        "face_model": "",
    }
