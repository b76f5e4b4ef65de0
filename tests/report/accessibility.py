"""A page as people see it whose sight is poor, and as a screen reader reads it."""

from typing import NamedTuple

COLOURS = """
const number = (text) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
  const c = [r, g, b][i] / 255;
  return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
}, 0);
const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] / 255 + below[i] * (1 - top[3] / 255));
const ground = (element) => {
  if (!element) return number(getComputedStyle(document.documentElement).getPropertyValue("--paper"));
  return over(number(getComputedStyle(element).backgroundColor), ground(element.parentElement));
};
const ratio = (one, other) => {
  const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
};
"""

TEXTS = """
const found = [];
for (const element of document.body.querySelectorAll("*")) {
  const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const unseen = ["TITLE", "DESC", "SCRIPT", "OPTION"].includes(element.tagName.toUpperCase());
  if (!texts || unseen || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const text = number(element instanceof SVGElement ? style.fill : style.color);
  found.push([ratio(text, ground(element)), element.tagName + " " + element.textContent.trim().slice(0, 30)]);
}
return found;
"""


class Node(NamedTuple):
    """An element, as a screen reader gets it."""

    number: str
    parent: str
    role: str
    name: str
    description: str
    properties: dict


def text_of(value):
    return (value or {}).get("value", "")


def read_tree(browser):
    """Return what a screen reader is told, in Chromium's words."""
    nodes = browser.tell("Accessibility.getFullAXTree")["nodes"]
    return [
        Node(
            node["nodeId"], node.get("parentId", ""), text_of(node["role"]), text_of(node.get("name")),
            text_of(node.get("description")), {p["name"]: text_of(p["value"]) for p in node.get("properties", ())},
        )
        for node in nodes
        if not node["ignored"]
    ]  # fmt: skip


def having(tree, *roles):
    return [node for node in tree if node.role in roles]


def contrasts(browser, script):
    """Return the contrast of each thing that a script finds with what is behind it, from 1 to 21, and what it is."""
    return browser.run(COLOURS + script)
