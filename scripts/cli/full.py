"""What `gv analyze --full` adds: the networks' findings, scores and prediction in one report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.cli.paths import check_readable
from shared.config import read_settings
from shared.inference_models import Inference
from shared.models import Analysis
from shared.ports import utc_now
from shared.report import one_report
from shared.score_models import AdFacts


def understand(
    video: Path,
    captions: Path | None,
    *,
    preview: bool = False,
    on_contact_sheet: Callable[[bytes], None] | None = None,
) -> tuple[Analysis, Inference]:
    """Analysis and inference of a file of this machine; raises PipelineError."""
    from shared.domain.inference.captions import read_captions
    from shared.domain.inference.understand import understand_video
    from shared.domain.video.analyze import Wanted
    from shared.domain.video.identity import content_id

    settings = read_settings()
    check_readable(video)
    if captions is not None:
        check_readable(captions)
    transcript = None if captions is None else read_captions(captions)
    wanted = Wanted(content_id(video, settings.tenant_id), utc_now(), preview, on_contact_sheet)
    return understand_video(
        video, wanted, limits=settings.limits, tools=settings.tools, transcript=transcript
    )


def full_report(analysis: Analysis, inference: Inference, ad: AdFacts) -> dict[str, Any]:
    """The report of analysis, inference and scores together.

    No store is asked: the scores know of no past ads, and the cold start predicts.
    """
    from shared.domain.scoring.cold_start import predict_cold
    from shared.domain.scoring.evidence import signals_of_video
    from shared.domain.scoring.scores import score_creative

    signals = signals_of_video(analysis, inference, ad, utc_now())
    found = one_report(analysis.model_dump(mode="json"), inference.model_dump(mode="json"))
    return found | {
        "scores": score_creative(signals).model_dump(mode="json"),
        "prediction": predict_cold(signals).model_dump(mode="json"),
    }
