"""Settings: the only reader of the environment. No environment at all is the laptop."""

import os
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import ConfigError
from shared.events import LOCAL_TENANT, TenantId
from shared.models import Limits

if TYPE_CHECKING:
    from shared.inference_models import InferenceTools

PREFIX = "GEMINIVIDEO_"


class Settings(BaseModel):
    """Every setting, from `GEMINIVIDEO_<NAME>`; one URL a port, its scheme picks the adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: str = Field(
        "file://.local/files", description="where files live: `file://FOLDER` or `gs://BUCKET`"
    )
    bus: str = Field(
        "sqlite://.local/bus.db", description="the queue: `sqlite://FILE` or `pubsub://PROJECT`"
    )
    documents: str = Field(
        "sqlite://.local/documents.db",
        description="records and the ledger: `sqlite://FILE` or `firestore://PROJECT[/DATABASE]`",
    )
    secrets: str = Field(
        "file://.local/secrets",
        description="tokens: `file://FOLDER` (0600) or `secret-manager://PROJECT`",
    )
    schedules: str = Field(
        "sqlite://.local/schedules.db",
        description="timed events: `sqlite://FILE` or `scheduler://PROJECT/REGION`",
    )
    alerts: str = Field("console://", description="who is told of trouble: `console://`")
    tenant_id: TenantId = Field(
        LOCAL_TENANT, description="the tenant that the command line works for"
    )

    stage_timeout_seconds: int = Field(
        540, ge=30, le=570, description="how long one stage may take; its lease lasts 60 s longer"
    )
    max_delivery_attempts: int = Field(
        10, ge=5, le=100, description="deliveries before a message is a dead letter"
    )
    retry_min_seconds: int = Field(
        10, ge=0, le=600, description="shortest wait before a message comes again"
    )
    retry_max_seconds: int = Field(
        600, ge=0, le=600, description="longest wait before a message comes again"
    )
    push_max_bytes: int = Field(
        14_000_000, ge=1, description="largest push accepted: a message of 10 MB in base64"
    )

    max_upload_bytes: int = Field(500_000_000, ge=1, description="largest video taken")
    max_video_seconds: float = Field(
        600.0, gt=0, allow_inf_nan=False, description="longest video taken"
    )
    max_video_side_pixels: int = Field(8192, ge=16, description="largest width or height taken")
    max_video_fps: float = Field(
        120.0, gt=0, allow_inf_nan=False, description="highest frame rate taken"
    )
    max_video_streams: int = Field(8, ge=1, description="most streams in one file")
    max_decode_memory_bytes: int = Field(
        4_000_000_000, ge=500_000_000, description="address space of the process that reads a video"
    )

    face_model: str = Field(
        "",
        description="path of an ONNX file, YuNet or YOLOv8-face, that finds faces; "
        "empty: the Haar cascade of OpenCV",
    )

    google_project: str = Field(
        "", description="Google Cloud project; log lines name their trace in it"
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="`json` for Cloud Logging, `text` for people; `auto`: text on a terminal",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severity logged"
    )

    local_port: int = Field(
        8787, ge=0, le=65535, description="port of the local stack and its status page; 0: any"
    )
    local_uploads_quiet_seconds: float = Field(
        3.0,
        ge=0,
        le=60,
        description="how long a file dropped into the uploads folder must be unchanged to be taken",
    )
    local_workers: int = Field(
        2, ge=1, le=32, description="messages that the local stack handles at once"
    )

    models: str = Field(".local/models", description="folder with the networks of `gv models`")
    object_model: Literal["yolox", "yolov8"] = Field(
        "yolox", description="which network finds objects; `yolov8` is AGPL-3.0: your choice"
    )
    text_reader: Literal["ppocr", "paddleocr"] = Field(
        "ppocr", description="what reads text on screen; `paddleocr` where it is installed"
    )
    sentence_engine: Literal["numpy", "sentence-transformers"] = Field(
        "numpy",
        description="what runs the sentence model; `sentence-transformers` where it is installed",
    )

    @model_validator(mode="after")
    def _check_waits(self) -> Self:
        if self.retry_min_seconds > self.retry_max_seconds:
            raise ValueError(
                f"retry_min_seconds={self.retry_min_seconds} is more than "
                f"retry_max_seconds={self.retry_max_seconds}"
            )
        return self

    @property
    def limits(self) -> Limits:
        """The video limits, as the domain takes them; reading stops at 80 % of the stage's time."""
        return Limits(
            max_bytes=self.max_upload_bytes,
            max_seconds=self.max_video_seconds,
            max_side_pixels=self.max_video_side_pixels,
            max_fps=self.max_video_fps,
            max_streams=self.max_video_streams,
            deadline_seconds=0.8 * self.stage_timeout_seconds,
            max_memory_bytes=self.max_decode_memory_bytes,
            face_model=self.face_model,
        )

    @property
    def tools(self) -> "InferenceTools":
        """The networks, as the domain takes them."""
        # The records of the inference are many, and most stages start without them.
        from shared.inference_models import InferenceTools

        return InferenceTools(
            models=self.models,
            object_model=self.object_model,
            text_reader=self.text_reader,
            sentence_engine=self.sentence_engine,
        )


def read_settings() -> Settings:
    """The settings of this process; raises ConfigError naming each variable that does not fit."""
    # pydantic-settings would do the same, and cost every command a tenth of a second to import.
    names = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    try:
        return Settings.model_validate(
            {name: os.environ[key] for name, key in names.items() if key in os.environ}
        )
    except ValidationError as problem:
        wrong = (
            f"{PREFIX}{str(e['loc'][0]).upper()}={e['input']!r}: {e['msg']}"
            if e["loc"]
            else e["msg"]
            for e in problem.errors()
        )
        raise ConfigError("; ".join(wrong)) from problem
