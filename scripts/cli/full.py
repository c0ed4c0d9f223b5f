"""What `gv analyze --full` adds: the networks' findings in one report with the analysis."""

from pathlib import Path
from typing import Any

from scripts.cli.paths import check_readable
from shared.config import read_settings
from shared.models import Analysis
from shared.report import one_report


def understand(video: Path, analysis: Analysis, captions: Path | None) -> dict[str, Any]:
    """The report of analysis and inference together; raises PipelineError."""
    from shared.domain.inference.captions import read_captions
    from shared.domain.inference.infer import infer_video

    settings = read_settings()
    if captions is not None:
        check_readable(captions)
    transcript = None if captions is None else read_captions(captions)
    inference = infer_video(
        video, analysis, limits=settings.limits, tools=settings.tools, transcript=transcript
    )
    return one_report(analysis.model_dump(mode="json"), inference.model_dump(mode="json"))
