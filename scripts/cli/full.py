"""What `gv analyze --full` adds: the networks' findings, scores and prediction in one report."""

from pathlib import Path
from typing import Any

from scripts.cli.paths import check_readable
from shared.config import read_settings
from shared.models import Analysis
from shared.ports import utc_now
from shared.report import one_report
from shared.score_models import AdFacts


def understand(
    video: Path, analysis: Analysis, captions: Path | None, ad: AdFacts
) -> dict[str, Any]:
    """The report of analysis, inference and scores together; raises PipelineError.

    No store is asked: the scores know of no past ads, and the cold start predicts.
    """
    from shared.domain.inference.captions import read_captions
    from shared.domain.inference.infer import infer_video
    from shared.domain.scoring.cold_start import predict_cold
    from shared.domain.scoring.evidence import signals_of_video
    from shared.domain.scoring.scores import score_creative

    settings = read_settings()
    if captions is not None:
        check_readable(captions)
    transcript = None if captions is None else read_captions(captions)
    inference = infer_video(
        video, analysis, limits=settings.limits, tools=settings.tools, transcript=transcript
    )
    signals = signals_of_video(analysis, inference, ad, utc_now())
    prediction, scores = predict_cold(signals), score_creative(signals)
    return one_report(analysis, inference) | {
        "scores": scores.model_dump(mode="json"),
        "prediction": prediction.model_dump(mode="json"),
    }
