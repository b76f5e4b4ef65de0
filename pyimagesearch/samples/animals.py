"""Seeded cartoon cats and dogs: a stand-in for the Kaggle photographs that needs no download.

Only ears, eyes, muzzle, nose, whiskers and tongue depend on the label. Coat, body, pose, light,
background and clutter are drawn alike for both, so a classifier has to find the face.
"""

import cv2
import numpy as np
from numpy.typing import ArrayLike

LABELS = ("cat", "dog")
SCENES = (("meadow", 4), ("room", 3), ("stripes", 9), ("lights", 18))  # with their decorations
INK, SNOW, PINK, RED = (38, 30, 34), (248, 250, 252), (158, 150, 228), (112, 98, 226)
FURS = ((62, 142, 232), (186, 216, 240), (62, 92, 142), (48, 62, 92), (138, 132, 128),
        (146, 122, 104), (62, 56, 56), (238, 240, 242), (128, 172, 214), (52, 98, 178))  # fmt: skip
CAT_EYES = ((96, 196, 128), (70, 200, 232), (216, 178, 96), (60, 150, 226), (120, 220, 190))
DOG_EYES = ((40, 66, 112), (44, 52, 78), (52, 92, 140), (206, 172, 112), (34, 38, 52))
SKIES = ((226, 178, 112), (214, 196, 168), (150, 170, 232), (130, 84, 70))
GROUNDS = ((72, 150, 96), (60, 168, 128), (96, 176, 196), (92, 128, 172), (150, 160, 170))
PAINTS = ((92, 92, 214), (96, 168, 236), (110, 214, 232), (112, 190, 120), (204, 176, 92),
          (206, 122, 96), (190, 110, 170), (196, 176, 222), (214, 216, 220))  # fmt: skip
FRAME = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
FINE = 2  # animals are painted larger and shrunk: OpenCV's own thin lines look beaded
SHIFT = 4  # fractional bits of OpenCV's coordinates
Colour = tuple[float, ...]  # blue, green, red, each 0 to 255


def curve(points: ArrayLike, closed: bool = True) -> np.ndarray:
    """Return the Catmull-Rom spline through ``points`` as float64 (m, 2)."""
    knots = np.pad(points, ((1, 1 + closed), (0, 0)), "wrap" if closed else "edge")
    a, b, c, d = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, 5)[:, None]
    path = b + t / 2 * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return path.reshape(-1, 2)


def symmetric(right: list[tuple[float, float]]) -> np.ndarray:
    """Return the smooth closed outline whose right half, top to bottom, is ``right``."""
    return curve(np.concatenate([right, np.multiply(right[-2:0:-1], (-1, 1))]))


def oval(x: float, y: float, rx: float, ry: float) -> np.ndarray:
    """Return an axis-aligned ellipse as float64 (21, 2)."""
    turn = np.linspace(0, 2 * np.pi, 21)
    return np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1)


def tone(colour: Colour, gain: float) -> Colour:
    """Darken (``gain`` 0 to 1) or lighten towards white (1 to 2) a colour."""
    return tuple(gain * c if gain < 1 else 255 - (255 - c) * (2 - gain) for c in colour)


def pick(rng: np.random.Generator, colours: ArrayLike) -> Colour:
    """Return one of ``colours``, slightly off."""
    return tuple((rng.choice(colours) + rng.uniform(-10, 10, 3)).clip(0, 255).tolist())


class Brush:
    """Paints in place on uint8 (h, w, 3), in units of half a head's width around ``origin``."""

    def __init__(self, image: np.ndarray, origin: ArrayLike, unit: float, degrees: float = 0):
        self.image, self.origin, self.unit, self.degrees = image, np.array(origin), unit, degrees
        cos, sin = unit * np.cos(np.radians(degrees)), unit * np.sin(np.radians(degrees))
        self.axes = np.array([[cos, sin], [-sin, cos]])

    def _pixels(self, points: ArrayLike) -> np.ndarray:
        return np.rint((np.asarray(points) @ self.axes + self.origin) * 2**SHIFT).astype(np.int32)

    def line(self, path: ArrayLike, colour: Colour, width: float = 0.06, ink: bool = False) -> None:
        """Draw a round-ended stroke, at least a pixel wide and, with ``ink``, edged."""
        if ink:
            self.line(path, INK, width + 0.11)
        width = max(1, round(width * self.unit))
        cv2.polylines(self.image, [self._pixels(path)], False, colour, width, cv2.LINE_AA, SHIFT)

    def fill(self, outline: ArrayLike, colour: Colour, ink: bool = False) -> None:
        """Fill an outline and, with ``ink``, trace its edge."""
        cv2.fillPoly(self.image, [self._pixels(outline)], colour, cv2.LINE_AA, SHIFT)
        if ink:
            self.line(outline, INK)

    def fur(self, outline: np.ndarray, colour: Colour, sun: int, marks: tuple | list = ()) -> None:
        """Fill an outline, clip ``marks`` (outline, colour) to it, shade it and trace its edge."""
        left, top, width, height = cv2.boundingRect(self._pixels(outline) >> SHIFT)
        left, top = max(left, 0), max(top, 0)
        view = self.image[top : top + height, left : left + width]
        if view.size:  # on small views this is several times as fast as on the whole picture
            coat = Brush(view.copy(), self.origin - (left, top), self.unit, self.degrees)
            for part in ((outline, colour), *marks):
                coat.fill(*part)
            inside, lit = np.zeros((2, *view.shape[:2]), np.uint8)
            cv2.fillPoly(inside, [coat._pixels(outline)], 255, shift=SHIFT)
            cv2.fillPoly(lit, [coat._pixels(outline - (-sun / 5, 0.16))], 255, shift=SHIFT)
            shade = cv2.blur(cv2.bitwise_not(lit), (int(0.4 * self.unit) | 1,) * 2)
            shade = cv2.multiply(coat.image, cv2.merge([shade] * 3), scale=0.32 / 255)
            cv2.copyTo(cv2.subtract(coat.image, shade), inside, view)
        self.line(outline, INK)


def paint(label: str, rng: np.random.Generator) -> np.ndarray:
    """Return one picture of a ``label`` ("cat" or "dog") as uint8 BGR (h, w, 3).

    The longer side is 180 to 260 pixels and the head lies inside the central square.
    """
    height = int(rng.integers(180, 261))
    width = round(height * rng.uniform(0.62, 0.95))
    if rng.uniform() < 0.6:
        height, width = width, height
    side = FINE * min(height, width)
    unit, sun, lean = side * rng.uniform(0.14, 0.27), rng.choice((-1, 1)), rng.uniform(-9, 9)
    x, y = (FINE * width / 2, FINE * height / 2) + side * rng.uniform((-0.2, -0.15), (0.2, 0.15))
    floor = min(round((y + unit * rng.uniform(0.8, 2.2)) / FINE), height)
    image = cv2.resize(scenery((height, width), floor, rng), (FINE * width, FINE * height))

    fur, pattern = pick(rng, FURS), rng.choice(("plain", "tabby", "patches", "hood", "blaze"))
    mark = tone(fur, 1.3) if sum(fur) < 260 else tone(fur, rng.uniform(0.5, 0.75))
    coat = fur, pick(rng, FURS) if pattern == "patches" else mark, tone(fur, 1.75), pattern
    brush = Brush(image, (x, y), unit, lean)
    body(brush, coat, sun, rng)
    face(Brush(image, (x, y), unit, lean + rng.uniform(-22, 22)), label == "cat", coat, sun, rng)
    if rng.uniform() < 0.25:
        pole = [(rng.uniform(-4, 4), -9), (rng.uniform(-4, 4), 9)]
        brush.line(pole, pick(rng, PAINTS), rng.uniform(0.06, 0.2), ink=True)
    if rng.uniform() < 0.3:
        x, y, r = rng.uniform((-1.8, 1.3, 0.3), (1.8, 2.7, 0.6))
        brush.fur(oval(x, y, r, r), pick(rng, PAINTS), sun, [(oval(x, y, r, r / 4), SNOW)])

    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    lamps = rng.uniform(92, 144, (2, 2)) + 20 * sun * np.array([-1, 1])
    lamps = (lamps[..., None] * rng.uniform(0.9, 1.1, 3)).astype(np.uint8)
    light = cv2.resize(lamps, (2 * width, 2 * height))  # its middle is a linear blend
    image = cv2.multiply(image, light[height // 2 :, width // 2 :][:height, :width], scale=1 / 128)
    if rng.uniform() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    grain, strength = np.frombuffer(rng.bytes(image.size), np.uint8), rng.uniform(0.01, 0.09)
    return cv2.addWeighted(image, 1, grain.reshape(image.shape), strength, -127.5 * strength)


def scenery(size: tuple[int, int], floor: int, rng: np.random.Generator) -> np.ndarray:
    """Return a background (h, w, 3) of ``size`` (h, w) whose ground begins at row ``floor``."""
    (height, width), (scene, count) = size, SCENES[rng.integers(len(SCENES))]
    wall = tone(pick(rng, SKIES if scene == "meadow" else PAINTS), rng.uniform(0.6, 1.1))
    plain = np.repeat(np.linspace([wall], [tone(wall, 1.4)], height, dtype=np.uint8), width, 1)
    tilt = rng.uniform(-90, 90) if scene == "stripes" else 0
    brush = Brush(plain.copy(), (width / 2, height / 2), max(size) / 10, tilt)
    for x, y, r in rng.uniform((-5, -5, 0.2), (5, 4, 1.4), (count, 3)):
        if scene == "meadow":
            brush.fill(oval(x, y / 2 - 2, r, r / 2), SNOW)
            brush.fill(oval(x + r, y / 2 - 2 + r / 8, r, r / 3), SNOW)
        elif scene == "room":
            brush.fill(FRAME * (r + 0.4) + (x, y / 2 - 1), pick(rng, PAINTS), ink=True)
        elif scene == "stripes":
            brush.line([(x, -9), (x, 9)], tone(wall, 1.5), r)
        else:
            brush.fill(oval(x, y, r, r), pick(rng, PAINTS))
    image = cv2.addWeighted(plain, 0.45, brush.image, 0.55, 0)
    if scene in ("meadow", "room"):
        ground = pick(rng, GROUNDS)
        cv2.rectangle(image, (0, floor), (width, height), ground, -1)
        for root in rng.uniform((0, floor), (width, height + 9), (80, 2)):
            Brush(image, root, 6, rng.uniform(-25, 25)).line([(0, 0), (0, -1)], tone(ground, 0.8))
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2))


def body(brush: Brush, coat: tuple, sun: int, rng: np.random.Generator) -> None:
    """Paint a body, sitting or lying, below a head at the brush's origin."""
    fur, mark, pale, pattern = coat
    sock = pale if pattern in ("blaze", "patches") else fur
    flip = rng.choice((-1, 1)) * rng.uniform(0.85, 1.15), 1
    wag, lift = rng.uniform(-0.3, 0.4, 2)
    if rng.uniform() < 0.7:
        tail = [(0.7, 2.9), (1.6, 2.95), (2 + wag, 2.3 + lift), (1.9 + 2 * wag, 1.5 + lift)]
        trunk = symmetric([(0, 0.4), (0.5, 0.6), (0.72, 1.2), (0.9, 2.1), (0.9, 2.9), (0, 3.2)])
        spots = [(-0.7, 1.2), (0.7, 1.2), (-0.8, 1.6), (0.8, 1.6), (-0.9, 2), (0.9, 2)]
        haunches, sole = [(-0.9, 2.66), (0.9, 2.66)], 3.18
    else:
        tail = [(2.2, 1.3), (2.9, 1.4), (3.2 + wag, 0.8 + lift), (2.9 + 2 * wag, 0.2 + lift)]
        trunk = curve([(-0.7, 0.5), (0.6, 0), (1.9, 0.1), (2.5, 0.9), (2, 1.6), (-0.7, 1.5)])
        spots = [(1.2, 0.2), (1.7, 0.3), (2.2, 0.5), (1.2, 0.7), (-0.8, 0.8), (1.3, 1.2)]
        haunches, sole = [(1.8, 1.15)], 1.66
    wagged = curve(np.multiply(tail, flip), closed=False)
    brush.line(wagged, fur, 0.28, ink=True)
    brush.line(wagged[-6:], pale if pattern == "blaze" else mark, 0.28)
    bib = symmetric([(0, 0.6), (0.4, 0.9), (0.46, 1.5), (0, sole - 1)]), pale
    size = {"tabby": (0.3, 0.07), "patches": (0.42, 0.36)}.get(pattern, (0, 0))
    marks = [(oval(x, y, *size), mark) for x, y in rng.permutation(spots)[:5] * flip]
    brush.fur(trunk * flip, fur, sun, [*marks, bib])
    for x, y in np.multiply(haunches, flip):
        brush.fur(oval(x, y, 0.5, 0.52), fur, sun)
        brush.fill(oval(x, sole, 0.38, 0.17), sock, ink=True)
    for x in (-0.36, 0.36):
        brush.line([(x, sole - 0.7), (x, sole)], fur, 0.46, ink=True)
        brush.fill(oval(x, sole - 0.75, 0.3, 0.2), fur)
        brush.fill(oval(x, sole, 0.31, 0.18), sock, ink=True)
    if rng.uniform() < 0.4:
        brush.line(curve([(-0.7, 0.8), (0, 1.1), (0.7, 0.8)], False), pick(rng, PAINTS), 0.17, True)


def face(brush: Brush, cat: bool, coat: tuple, sun: int, rng: np.random.Generator) -> None:
    """Paint the head of a cat or of a dog: all that tells one label from the other."""
    fur, mark, pale, pattern = coat
    marks = {"tabby": [(oval(x, -0.75, 0.06, 0.26), mark) for x in (-0.28, 0, 0.28)],
             "patches": [(oval(rng.choice((-0.45, 0.45)), -0.2, 0.42, 0.5), mark)],
             "hood": [(symmetric([(0, -0.1), (0.5, 0.1), (1.3, 0.1), (0, -1.5)]), mark)],
             "blaze": [(symmetric([(0, -1), (0.13, -0.4), (0.4, 0.5), (0, 1)]), pale)]}  # fmt: skip
    skull = symmetric([(0, -0.86), (0.5, -0.8), (0.9, -0.4), (1, 0.1), (0.8, 0.56), (0, 0.9)])
    x, y, tip = rng.uniform((0.7, -1.5, -0.4), (1.05, -1.15, 0.8))
    if cat:
        ear = np.array([(0.2, -0.7), (0.45, -1.1), (x, y), (0.98, -0.85), (0.95, -0.2)])
        iris, pupil, eye = pick(rng, CAT_EYES), (rng.uniform(0.05, 0.13), 0.18), (0.42, 0.2, 0.21)
    else:
        ear = curve([(0.45, -0.86), (1, -0.8), (1.3, tip - 0.6), (1.2, tip), (1, tip), (0.8, -0.4)])
        iris, pupil, eye = pick(rng, DOG_EYES), (rng.uniform(0.09, 0.12), 0.11), (0.37, 0.15, 0.17)
    shade, inner = mark if pattern == "hood" else tone(fur, 0.85), 0.6 * ear + (0.26, -0.3)
    # A cat's ears stand behind its skull, a dog's hang over it.
    ears = [(ear * (s, 1), shade, [(inner * (s, 1), PINK)] if cat else ()) for s in (-1, 1)]
    head = [(skull, fur, marks.get(pattern, ()))]
    for outline, colour, parts in ears + head if cat else head + ears:
        brush.fur(outline, colour, sun, parts)
    brush.origin = brush.origin + rng.uniform((-0.16, -0.08), (0.16, 0.06)) @ brush.axes
    for x in (-eye[0], eye[0]):
        if rng.uniform() < 0.06:
            brush.line(curve([(x - 0.18, -0.08), (x, 0.02), (x + 0.18, -0.08)], False), INK)
        else:
            brush.fill(oval(x, -0.08, *eye[1:]), iris, ink=True)
            brush.fill(oval(x, -0.08, *pupil), INK)
            brush.fill(oval(x - 0.05, -0.15, 0.055, 0.055), SNOW)
    whiskers(brush, fur, pale, rng) if cat else snout(brush, pale, rng)


def whiskers(brush: Brush, fur: Colour, pale: Colour, rng: np.random.Generator) -> None:
    """Paint a cat's muzzle: a pale lip, a small nose and long whiskers."""
    brush.fill(oval(0, 0.43, 0.42, 0.19), pale)
    brush.fill([(-0.12, 0.2), (0.12, 0.2), (0, 0.33), (-0.12, 0.2)], pick(rng, (PINK, INK)), True)
    brush.line(curve([(-0.3, 0.44), (-0.1, 0.49), (0, 0.34), (0.1, 0.49), (0.3, 0.44)], False), INK)
    for side, dy in ((-1, -0.16), (-1, 0), (-1, 0.16), (1, -0.16), (1, 0), (1, 0.16)):
        ends = [(side * 0.36, 0.42 + dy / 3), (side * 1.3, 0.36 + 1.6 * dy)]
        brush.line(ends, SNOW if sum(fur) < 500 else INK, 0.025)


def snout(brush: Brush, pale: Colour, rng: np.random.Generator) -> None:
    """Paint a dog's muzzle: a long snout, a big nose and, often, the tongue."""
    if rng.uniform() < 0.5:
        brush.fill(symmetric([(0, 0.6), (0.16, 0.65), (0.15, 0.96), (0, 1.06)]), RED, ink=True)
    brush.fill(symmetric([(0, 0.05), (0.25, 0.1), (0.5, 0.5), (0.25, 0.77), (0, 0.7)]), pale, True)
    brush.line([(0, 0.3), (0, 0.52)], INK)
    brush.line(curve([(-0.3, 0.46), (-0.17, 0.6), (0, 0.52), (0.17, 0.6), (0.3, 0.46)], False), INK)
    brush.fill(symmetric([(0, 0.1), (0.2, 0.14), (0.14, 0.3), (0, 0.36)]), INK)
    brush.fill(oval(-0.06, 0.17, 0.06, 0.03), SNOW)
