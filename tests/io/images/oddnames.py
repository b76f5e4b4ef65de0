"""Names as strangers choose them."""

import os
import unicodedata

import cv2
import numpy as np

COMPOSED = unicodedata.normalize("NFC", "kätzchen")
DECOMPOSED = unicodedata.normalize("NFD", "kätzchen")
NAMES = {
    "a space": "cat.white cat 1.jpg",
    "spaces around": " cat. 2 .jpg",
    "composed": f"cat.{COMPOSED}.jpg",
    "decomposed": f"cat.{DECOMPOSED}.jpg",
    "another script": "cat.猫 😺 قطة.jpg",
    "quotes": "cat.'single' \"double\" `back`.jpg",
    "a newline": "cat.line\nfeed.jpg",
    "a tab and a return": "cat.\t\r.jpg",
    "a backslash": "cat.C:\\temp\\new.jpg",
    "percent and braces": "cat.%s {0} $HOME.jpg",
    "200 characters": "cat." + "x" * 192 + ".jpg",
    "240 bytes": "cat." + "猫" * 77 + "!.jpg",
    "an option": "-rf.jpg",
    "a comma; and more": "cat.a,b;c&d|e#f?.jpg",
    "upper case": "CAT.7.JPG",
}
NOT_UTF8 = os.fsdecode(b"cat.\xff\xfe.jpg")


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def write_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = cv2.resize(np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8), (20, 18))
    path.write_bytes(cv2.imencode(".jpg", pixels)[1])
