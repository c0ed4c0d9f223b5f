"""Analysis and inference of one video together, from one decode: what `gv analyze --full` does."""

from pathlib import Path
from typing import Any

from shared.domain.inference.models import locate, model_named
from shared.domain.inference.parts import Parts, open_parts
from shared.domain.video.analyze import Wanted
from shared.domain.video.child import Progress, read_in_child
from shared.inference_models import Inference, Transcript
from shared.models import Analysis, InferenceTools, Limits

# The models that listen.
HEARING = ("speech-weights", "english-speech-encoder", "speech-emotion")


def understand_video(
    path: Path,
    wanted: Wanted,
    *,
    limits: Limits,
    tools: InferenceTools,
    transcript: Transcript | None = None,
    on_progress: Progress | None = None,
) -> tuple[Analysis, Inference]:
    """Analysis and inference of the video at `path` from one decode.

    The same as `analyze_video` and then `infer_video`, and raises as they do. Only pictures of
    shots and faces, where there are networks for them, take a second look: which ones is known
    when the analysis is done.
    """
    task = {**wanted.task(path, limits), "do": "understand"}
    with open_parts(tools) as parts:
        wants = ["text", *(["sound"] if may_hear(tools) else [])]
        answer = read_in_child({**task, "wants": wants}, limits, on_progress, parts.take)
        analysis = wanted.take(answer)
        # Loaded meanwhile, by the thread that reads text.
        from shared.domain.inference.infer import Run

        run = Run(analysis, tools, transcript, parts)
        sampled = answer["sampled"]
        wishes = run.wishes(had=("quality", *wants))
        if wishes["wants"]:
            sampled["seconds"]["reading"] = look_again(task | wishes, limits, on_progress, parts)
        return analysis, run.finish(sampled)


def look_again(
    task: dict[str, Any], limits: Limits, on_progress: Progress | None, parts: Parts
) -> float:
    """Has the child hand over what `task` wants; returns the seconds that decoding took."""
    answer = read_in_child({**task, "do": "infer"}, limits, on_progress, parts.take)
    return float(answer["seconds"]["reading"])


def may_hear(tools: InferenceTools) -> bool:
    """Whether there are networks that listen, so that the sound itself is wanted."""
    folder = Path(tools.models)
    return any(locate(model_named(name), folder).is_file() for name in HEARING)
