"""The usual tools, one a question, as their manuals show them: `tools.py scenes|chain|sound FILE`.

It runs in the peers' venv and knows nothing of the project. Each question opens the file anew, as
a chain of tools does.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

SMALL_WIDTH = 320
FACES_A_SECOND = 2


def find_scenes(path: str) -> Any:
    """PySceneDetect's AdaptiveDetector with everything at its defaults: first frames of scenes."""
    from scenedetect import AdaptiveDetector, detect

    return [start.frame_num for start, _ in detect(path, AdaptiveDetector())][1:]


def find_motion(path: str) -> Any:
    """Mean length of Farneback's flow of each frame, 320 pixels wide, as OpenCV's tutorial does."""
    import cv2
    import numpy as np

    # Without a first guess of the flow, as everybody calls it; OpenCV's types forget that.
    no_guess: Any = None
    before, energies = None, []
    for grey in _grey_frames(path):
        if before is not None:
            flow = cv2.calcOpticalFlowFarneback(before, grey, no_guess, 0.5, 3, 15, 3, 5, 1.2, 0)
            energies.append(float(np.hypot(flow[..., 0], flow[..., 1]).mean()))
        before = grey
    return energies


def find_faces(path: str) -> Any:
    """OpenCV's Haar cascade on two frames a second, 320 pixels wide: how many faces on each."""
    import cv2

    folder = os.path.join(os.path.dirname(cv2.__file__), "data")
    cascade = cv2.CascadeClassifier(os.path.join(folder, "haarcascade_frontalface_alt2.xml"))
    video = cv2.VideoCapture(path)
    every = max(1, round(video.get(cv2.CAP_PROP_FPS) / FACES_A_SECOND))
    video.release()
    frames = enumerate(_grey_frames(path))
    return [len(cascade.detectMultiScale(f, 1.1, 5)) for index, f in frames if not index % every]


def find_rhythm(path: str) -> Any:
    """librosa's tempo, beats, onsets and loudness over time; ffmpeg hands it the sound."""
    import imageio_ffmpeg
    import librosa
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        wave = os.path.join(folder, "sound.wav")
        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run([ffmpeg, "-v", "error", "-i", path, "-vn", wave], check=True)  # noqa: S603
        samples, rate = librosa.load(wave)
    tempo, beats = librosa.beat.beat_track(y=samples, sr=rate)
    onsets = librosa.onset.onset_detect(y=samples, sr=rate)
    loudness = librosa.feature.rms(y=samples).mean()
    return [float(np.mean(tempo)), len(beats), len(onsets), float(loudness)]


def _grey_frames(path: str) -> Any:
    import cv2

    video = cv2.VideoCapture(path)
    while True:
        there, frame = video.read()
        if not there:
            return
        height = round(frame.shape[0] * SMALL_WIDTH / frame.shape[1])
        small = cv2.resize(frame, (SMALL_WIDTH, height), interpolation=cv2.INTER_AREA)
        yield cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)


TOOLS: dict[str, tuple[Callable[[str], Any], ...]] = {
    "scenes": (find_scenes,),
    "chain": (find_scenes, find_motion, find_faces, find_rhythm),
    "sound": (find_rhythm,),
}

if __name__ == "__main__":
    print(json.dumps([find(sys.argv[2]) for find in TOOLS[sys.argv[1]]]))
