"""Settings: the only reader of the environment. No environment at all is the laptop."""

import os
import re
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import ConfigError
from shared.events import LOCAL_TENANT, TenantId
from shared.models import CouncilRules, CreativeRules, InferenceTools, Limits, ScoringRules

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
    jobs: str = Field(
        "process://", description="long work: `process://[FOLDER]` or `run://PROJECT/REGION`"
    )
    alerts: str = Field("console://", description="who is told of trouble: `console://`")
    tables: str = Field(
        "duckdb://.local/tables",
        description="rows for questions: `duckdb://FOLDER` or `bigquery://PROJECT.DATASET`",
    )
    tenant_id: TenantId = Field(
        LOCAL_TENANT, description="the tenant that the command line works for"
    )

    stage_timeout_seconds: int = Field(
        540, ge=30, le=570, description="how long one stage may take; its lease lasts 60 s longer"
    )
    job_timeout_seconds: int = Field(
        3000,
        ge=1,
        le=3000,
        description="how long one attempt of a job may take; its lease lasts 60 s longer",
    )
    inline_seconds: float = Field(
        300.0,
        ge=0,
        le=400,
        description="an analysis that is expected to take longer than this runs as a job",
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

    council: str = Field(
        "heuristic://",
        description="the judges, by commas: `gemini://MODEL`, `claude://MODEL`, `openai://MODEL`, "
        "`video-intelligence://google`; `heuristic://` asks no other",
    )
    council_weights: str = Field(
        "",
        description="weights of judges, such as `gemini=1.5,heuristic=0.5`; 1 for who is not named",
    )
    council_deadline_seconds: float = Field(
        20.0, gt=0, le=300, allow_inf_nan=False, description="how long the judges may take together"
    )
    council_video_cap_usd: Decimal = Field(
        Decimal("1"), ge=0, le=1_000, description="most that judging one video may cost"
    )
    council_day_cap_usd: Decimal = Field(
        Decimal("10"),
        ge=0,
        le=100_000,
        description="most that judging costs a tenant a day, UTC",
    )
    council_outlier_deviations: float = Field(
        3.0,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="median absolute deviations (scaled) beyond which a score does not count",
    )
    council_deep: bool = Field(
        False, description="whether judges are asked for a scene-by-scene account too"
    )
    council_max_output_tokens: int = Field(
        4_000, ge=200, le=64_000, description="longest answer of a judge, its thinking included"
    )
    council_max_video_bytes: int = Field(
        14_000_000, ge=0, le=18_000_000, description="largest video sent to judges that can watch"
    )
    council_prices: str = Field(
        "", description="path of a JSON price table; empty: the one that is shipped"
    )

    council_clips: int = Field(
        5, ge=0, le=20, description="how many of a video's best clips the judges are told of"
    )

    past_ads: int = Field(
        50, ge=0, le=1_000, description="most past ads that a new one is compared with"
    )
    least_impressions: int = Field(
        1_000,
        ge=1,
        description="impressions of all past ads together from which an account's usual CTR is "
        "known",
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

    copywriter: str = Field(
        "",
        description="a model that writes texts for variations, such as `gemini://MODEL`, within "
        "the council's caps; empty: templates alone",
    )
    creative_diversity: float = Field(
        0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="how much unlikeness counts when variations are picked; 0: the score alone",
    )
    creative_most_selected: int = Field(
        10, ge=0, le=50, description="most variations of a concept that are picked for rendering"
    )
    creative_least_score: float = Field(
        0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="a variation is picked when its predicted score is over this",
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
    def tools(self) -> InferenceTools:
        """The networks, as the domain takes them."""
        return InferenceTools(
            models=self.models,
            object_model=self.object_model,
            text_reader=self.text_reader,
            sentence_engine=self.sentence_engine,
        )

    @property
    def creative_rules(self) -> CreativeRules:
        """How variations are picked, as the domain takes it."""
        return CreativeRules(
            diversity=self.creative_diversity,
            most_selected=self.creative_most_selected,
            least_score=self.creative_least_score,
        )

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment with these settings: what a process of ours is started in."""
        ours = {f"{PREFIX}{name.upper()}": str(value) for name, value in self}
        return {**os.environ, **ours}

    @property
    def council_rules(self) -> CouncilRules:
        """How the council sits, as the domain takes it; raises ConfigError for bad weights."""
        return CouncilRules(
            deadline_seconds=self.council_deadline_seconds,
            video_cap_micro_usd=int(self.council_video_cap_usd * 1_000_000),
            day_cap_micro_usd=int(self.council_day_cap_usd * 1_000_000),
            weights=_read_weights(self.council_weights),
            outlier_deviations=self.council_outlier_deviations,
            deep=self.council_deep,
            max_output_tokens=self.council_max_output_tokens,
            max_video_bytes=self.council_max_video_bytes,
            prices=self.council_prices,
            most_clips=self.council_clips,
        )

    @property
    def scoring_rules(self) -> ScoringRules:
        """What scoring takes from the past, as the stage takes it."""
        return ScoringRules(most_past_ads=self.past_ads, least_impressions=self.least_impressions)


class JobCall(BaseModel):
    """What a job is started with: its message, and what its platform calls this execution."""

    model_config = ConfigDict(frozen=True)

    message: str
    execution: str


def _read_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        name, _, number = part.rpartition("=")
        if not name or not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", number):
            raise ConfigError(
                f"{PREFIX}COUNCIL_WEIGHTS={part!r}: expected NAME=NUMBER, such as gemini=1.5"
            )
        weights[name] = float(number)
    return weights


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


def read_job_call() -> JobCall:
    """What this process was started with as a job; raises ConfigError when it was not."""
    execution = os.environ.get(f"{PREFIX}JOB_EXECUTION") or os.environ.get("CLOUD_RUN_EXECUTION")
    message = os.environ.get(f"{PREFIX}JOB_MESSAGE")
    if not execution or not message:
        raise ConfigError(
            f"{PREFIX}JOB_MESSAGE and {PREFIX}JOB_EXECUTION (or CLOUD_RUN_EXECUTION) are not set: "
            "a job is started by its platform; scripts/run starts it here"
        )
    return JobCall(message=message, execution=execution)
