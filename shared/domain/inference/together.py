"""Analysis and samples for the networks from one decode in the child."""

from collections.abc import Callable
from typing import Any

from shared.domain.inference.listening import Listener
from shared.domain.inference.sampling import sampled
from shared.domain.inference.text_watcher import Say, TextWatcher
from shared.domain.video.measure import measure_video
from shared.models import Limits


def measure_and_sample(
    task: dict[str, Any], limits: Limits, on_progress: Callable[[float, str], None], say: Say
) -> dict[str, Any]:
    """The answer of `measure_video`, and in `sampled` what `sample_video` says: of one decode.

    Parts are `text`, `edges` and `sound`; which shots and faces there are is not known yet.
    """
    text, wants = TextWatcher(say), task["wants"]
    listener = Listener(say if "sound" in wants else None)
    answer = measure_video(
        task,
        limits,
        on_progress,
        watchers={"text": lambda: text} if "text" in wants else {},
        hear=listener.take,
    )
    text.result()
    listener.close()
    return {**answer, "sampled": sampled(text, listener, 0.0)}
