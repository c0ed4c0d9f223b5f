"""What `gv analyze --full` adds: the networks' findings in one report with the analysis."""

from collections.abc import Callable
from pathlib import Path

from scripts.cli.paths import check_readable
from shared.config import read_settings
from shared.inference_models import Inference
from shared.models import Analysis
from shared.ports import utc_now


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
