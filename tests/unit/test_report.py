"""The report on a video is what is stored of it, without what says nothing to a reader."""

import json

from shared.inference_models import Embeddings, Inference, InferenceAnalyser, ShotEmbedding
from shared.report import one_report
from tests.support.cases import analysis

VECTOR = (0.6, 0.8)
FOUND = Inference(
    video_id=analysis().video_id,
    embeddings=Embeddings(
        model="m",
        dimensions=2,
        text="all words",
        whole=VECTOR,
        shots=(ShotEmbedding(shot=0, text="words", vector=VECTOR),),
    ),
    analysers=(InferenceAnalyser(name="text", status="unavailable", reason="no model"),),
)


def test_both_records_are_one_object_without_vectors() -> None:
    measured, found = analysis().model_dump(mode="json"), FOUND.model_dump(mode="json")
    before = json.dumps([measured, found])
    report = one_report(measured, found)
    assert json.dumps([measured, found]) == before
    assert set(report) == {*measured, *found}
    assert report["embeddings"] == {
        "model": "m",
        "dimensions": 2,
        "text": "all words",
        "shots": [{"shot": 0, "text": "words"}],
    }
    assert report["analysers"] == measured["analysers"] + found["analysers"]
    assert all(report[name] == measured[name] for name in measured if name != "analysers")


def test_a_video_without_words_has_no_embeddings() -> None:
    silent = FOUND.model_copy(update={"embeddings": None}).model_dump(mode="json")
    assert one_report(analysis().model_dump(mode="json"), silent)["embeddings"] is None
