"""Who does not see the page hears it, and finds the way by keyboard; who sees badly can read it."""

import itertools
from collections import Counter

import pytest

from tests.report.accessibility import TEXTS, contrasts, having, read_tree

MARKS = """
return [...document.querySelectorAll(".line, .dot, .bar, .whisker, .axis, .bars i, input, select")].map((element) => {
  const style = getComputedStyle(element);
  const colour = element instanceof SVGElement ? (style.fill === "none" ? style.stroke : style.fill)
    : element.tagName === "I" ? style.backgroundColor : style.borderTopColor;
  return [ratio(number(colour), ground(element.parentElement)), element.className.baseVal ?? element.tagName];
});
"""


@pytest.fixture(scope="module")
def tree(browser, page):
    browser.open(page)
    browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
    return read_tree(browser)


def test_the_page_says_what_it_is(browser, page, tree):
    assert tree[0].role == "RootWebArea"
    assert tree[0].name.startswith("Report: cat")
    browser.open(page)
    assert browser.run("return document.documentElement.lang") == "en"


def test_landmarks(tree):
    counts = Counter(node.role for node in tree)
    assert {role: counts[role] for role in ("main", "banner", "contentinfo", "navigation")} == {
        "main": 1, "banner": 1, "contentinfo": 1, "navigation": 1,
    }  # fmt: skip
    regions = [node.name for node in having(tree, "navigation", "region", "form")]
    assert {"Sections", "The answer", "The data", "Training", "The result", "How to repeat it"} <= set(regions)
    assert all(regions)
    assert len(set(regions)) == len(regions)


def test_headings_leave_out_no_level(tree):
    headings = having(tree, "heading")
    levels = [node.properties["level"] for node in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(node.name for node in headings)


def test_every_picture_says_what_it_shows(tree):
    pictures = having(tree, "image", "img")
    assert len(pictures) > 100
    assert [node for node in pictures if len(node.name.split()) < 2] == []
    charts = [node for node in pictures if node.description]
    assert len(charts) == 1 + 1 + 5 + 6
    assert len({node.name for node in charts}) == len(charts)
    assert all(any(letter.isdigit() for letter in node.description) for node in charts)
    assert {"AlexNet from scratch Loss", "AlexNet, 10 crops ROC"} <= {node.name for node in charts}


def test_every_table_has_a_name_and_headers(tree):
    tables, parents = having(tree, "table"), {node.number: node for node in tree}
    assert len(tables) == 1 + 1 + 1 + 2 * 3 + 2 + 1
    assert all(node.name for node in tables)
    assert len({node.name for node in tables}) == len(tables)

    def table_of(node):
        while node.role != "table":
            node = parents[node.parent]
        return node.number

    headers = having(tree, "columnheader")
    assert {table_of(node) for node in headers} == {table.number for table in tables}
    assert all(node.name for node in headers)


def test_every_control_has_a_name(tree):
    controls = having(tree, "link", "button", "searchbox", "combobox", "DisclosureTriangle")
    assert Counter(node.role for node in controls).keys() >= {"link", "button", "searchbox", "combobox"}
    assert [node for node in controls if not node.name] == []
    assert {node.name for node in having(tree, "searchbox", "combobox")} == {"Path contains", "Class", "Method"}


def test_what_a_filter_leaves_is_said(opened):
    def statuses():
        return [node for node in read_tree(opened) if node.role == "status"]

    assert [node.properties["live"] for node in statuses()] == ["polite", "polite"]
    before = {node.name for node in having(read_tree(opened), "StaticText") if node.name.endswith(" shown")}
    opened.driver.find_element("id", "mistakes-text").send_keys("no such path")
    after = {node.name for node in having(read_tree(opened), "StaticText") if node.name.endswith(" shown")}
    assert len(after - before) == 1
    assert (after - before).pop().startswith("0 of ")


def test_a_keyboard_finds_the_way(opened):
    """Every stop is in the order of the page, can be seen, and has a mark around it."""
    stops, place = [], """
    const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
    return [e.className, e.tabIndex, style.outlineStyle, parseFloat(style.outlineWidth),
            box.top < innerHeight && box.bottom > 0 && box.left >= 0];
    """  # fmt: skip
    count = opened.run(
        """return [...document.querySelectorAll("a, button, input, select, summary, [tabindex='0']")]
        .filter((e) => e.checkVisibility()).length"""
    )
    assert count > 50
    for _ in range(count):
        opened.driver.switch_to.active_element.send_keys("\ue004")
        stops.append(opened.run(place))
    assert stops[0][0] == "skip"
    assert [stop for stop in stops if stop[1] != 0 or stop[2] == "none" or stop[3] < 2 or not stop[4]] == []
    assert (
        opened.run('return document.querySelectorAll(\'[tabindex]:not([tabindex="0"], [tabindex="-1"])\').length') == 0
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_marks_stand_out(browser, page, scheme):
    """As WCAG 2.2 asks for: 4.5 to 1 for texts, 3 to 1 for what charts are made of and fields are seen by."""
    assert browser.open(page, scheme=scheme) == []
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 384) == (scheme == "light")
    for script, least, count in ((TEXTS, 4.5, 300), (MARKS, 3, 100)):
        found = contrasts(browser, script)
        assert len(found) > count
        assert [(round(ratio, 2), what) for ratio, what in found if ratio < least] == []
