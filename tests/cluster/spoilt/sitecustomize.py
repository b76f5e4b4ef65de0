"""Makes OpenCV slow, and lets files that hold a certain word end the process that decodes them.

Python imports it when it starts, where this folder is on its path.
"""

import os
import signal
import time

import cv2

_imdecode, _seconds = cv2.imdecode, float(os.environ.get("SECONDS_TO_DECODE", "0"))


def _spoilt(data, flags):
    time.sleep(_seconds)
    if b"POISON" in data.tobytes():
        os.kill(os.getpid(), signal.SIGSEGV)
    return _imdecode(data, flags)


cv2.imdecode = _spoilt
