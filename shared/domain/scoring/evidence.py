"""What scoring works with, from the stored records of a video."""

from datetime import datetime

from shared.inference_models import Inference
from shared.models import Analysis
from shared.score_models import AdFacts, Signals, TextLine


def signals_of_video(
    analysis: Analysis, inference: Inference, ad: AdFacts, scored_at: datetime
) -> Signals:
    """The signals of a video; what an analyser could not give stays None."""
    return Signals(
        analysis=analysis,
        text=_lines(inference),
        words=inference.transcript.words if inference.transcript is not None else None,
        sightings=inference.objects,
        emotions=inference.emotions.faces,
        sound=inference.audio_quality,
        embedding=inference.embeddings.whole if inference.embeddings is not None else None,
        ad=ad,
        scored_at=scored_at,
    )


def _lines(inference: Inference) -> tuple[TextLine, ...] | None:
    if inference.text is None:
        return None
    return tuple(
        TextLine(**line.model_dump(exclude={"box"}), coverage=line.box.area)
        for line in inference.text
    )
