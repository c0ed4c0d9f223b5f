"""PaddleOCR as the reader of text on screen, for an image that has it: the same two networks."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from shared.domain.inference.networks import open_network
from shared.domain.inference.reading import DETECTION_SIDE, MIN_CONFIDENCE, MIN_LETTERS, Reading
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.pictures import Picture

DETECTION, RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"


class PaddleReader:
    """PaddleOCR 3.7 over onnxruntime; it is given our files and fetches nothing."""

    provider = "cpu"

    def __init__(self, detection: Path, recognition: Path) -> None:
        """Raises AnalyserUnavailable without the package, or when it cannot use the files."""
        try:
            from paddleocr import PaddleOCR
        except ImportError as problem:
            raise AnalyserUnavailable(f"paddleocr is not installed ({problem})") from problem
        letters = open_network(recognition).metadata.get("character", "").splitlines()
        # It reads everything when it is made; the folder is not needed any more then.
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            lay_out(root / DETECTION, detection, DETECTION, [])
            lay_out(root / RECOGNITION, recognition, RECOGNITION, letters)
            try:
                self._reader: Any = PaddleOCR(
                    text_detection_model_name=DETECTION,
                    text_detection_model_dir=str(root / DETECTION),
                    text_recognition_model_name=RECOGNITION,
                    text_recognition_model_dir=str(root / RECOGNITION),
                    use_doc_orientation_classify=False,
                    use_doc_unwarping=False,
                    use_textline_orientation=False,
                    engine="onnxruntime",
                )
            except (OSError, RuntimeError, ValueError) as problem:
                raise AnalyserUnavailable(
                    f"paddleocr cannot use the networks: {problem}"
                ) from problem

    def read(self, picture: Picture, side: int = DETECTION_SIDE) -> list[Reading]:
        """The lines on a BGR picture, top to bottom; `side` is the longest that is looked at."""
        (page,) = self._reader.predict(
            picture, text_det_limit_side_len=side, text_det_limit_type="max"
        )
        found: list[Reading] = []
        for corners, text, confidence in zip(
            page["rec_polys"], page["rec_texts"], page["rec_scores"], strict=True
        ):
            if confidence >= MIN_CONFIDENCE and sum(map(str.isalnum, text)) >= MIN_LETTERS:
                four = np.asarray(corners, np.float32)
                left, top, right, bottom = (float(n) for n in (*four.min(0), *four.max(0)))
                found.append(Reading((left, top, right, bottom), text.strip(), float(confidence)))
        return sorted(found, key=lambda line: (line.place[1], line.place[0]))


def lay_out(folder: Path, file: Path, name: str, letters: list[str]) -> None:
    """A folder as PaddleOCR wants it: the network, and a description of how it is fed."""
    folder.mkdir()
    (folder / "inference.onnx").symlink_to(file)
    if letters:
        steps: list[Any] = [
            {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
            {"RecResizeImg": {"image_shape": [3, 48, 320]}},
        ]
        after: dict[str, Any] = {"name": "CTCLabelDecode", "character_dict": letters}
    else:
        steps = [
            {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
            {"DetResizeForTest": {"limit_side_len": DETECTION_SIDE, "limit_type": "max"}},
            {"NormalizeImage": {"mean": [0.5] * 3, "std": [0.5] * 3, "order": "hwc"}},
            {"ToCHWImage": None},
        ]
        after = {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.5,
            "max_candidates": 1000,
            "unclip_ratio": 1.6,
        }
    described = {
        "Global": {"model_name": name},
        "PreProcess": {"transform_ops": steps},
        "PostProcess": after,
    }
    # JSON is YAML too.
    (folder / "inference.yml").write_text(json.dumps(described), encoding="utf-8")
