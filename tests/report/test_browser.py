"""The page in a real browser: what a reader sees, and can do."""

import base64
import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("report_browser", Path(__file__).with_name("browser.py"))
browser_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(browser_module)

CONTRAST = """
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
const found = [];
for (const element of document.body.querySelectorAll("*")) {
  const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const unseen = ["TITLE", "DESC", "SCRIPT", "OPTION"].includes(element.tagName.toUpperCase());
  if (!texts || unseen || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const text = number(element instanceof SVGElement ? style.fill : style.color);
  const [a, b] = [light(text), light(ground(element))].sort((x, y) => y - x);
  found.push([(a + 0.05) / (b + 0.05), element.tagName + " " + element.textContent.trim().slice(0, 30)]);
}
return found;
"""


@pytest.fixture(scope="module")
def browser():
    try:
        opened = browser_module.Browser()
    except browser_module.NoBrowserError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


@pytest.fixture
def opened(browser, page):
    assert browser.open(page) == []
    return browser


def rows(browser, table):
    """Return the visible rows of a table as lists of their cells' texts."""
    return browser.run(
        """return [...document.getElementById(arguments[0]).tBodies[0].rows].filter((row) => row.checkVisibility())
        .map((row) => [...row.cells].map((cell) => cell.innerText.trim()))""", table,
    )  # fmt: skip


def header(browser, table, text):
    buttons = browser.driver.find_elements("css selector", f"#{table} th button")
    return next(button for button in buttons if button.text == text)


def sorting(browser, table):
    return browser.run(
        """return [...document.querySelectorAll(`#${arguments[0]} th[aria-sort]`)]
        .map((th) => [th.innerText.slice(0, 4), th.ariaSort])""", table,
    )  # fmt: skip


def test_it_opens_quietly_and_asks_for_nothing(opened):
    assert opened.driver.title == "Report: cat or <script>alert(1)</script>?"
    asked_for = opened.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert [name for name in asked_for if not name.startswith("data:")] == []
    assert opened.run("return document.getElementsByTagName('script').length") == 1
    opened.load_images()
    assert opened.run("return [...document.images].every((i) => i.naturalWidth > 0)")
    assert opened.driver.get_log("browser") == []


def test_figures_are_those_of_the_record(opened, runs):
    results = {run.script.partition(".")[2]: run.results for run in runs if run.status == "done"}
    crops, classified = results["crop_accuracy"], results["train_model"]
    shown = opened.run(
        "return [...document.querySelectorAll('#answer tbody tr')].map((row) => [...row.cells].map((c) => c.innerText))"
    )
    expected = [(crops["rank1"], crops["evaluation"]), (crops["rank1_crops"], crops["evaluation_crops"])]
    expected.append((classified["accuracy"], classified["evaluation"]))
    for cells, (accuracy, found) in zip(shown, expected, strict=True):
        low, high = found["interval"]
        assert cells[1:5] == [f"{accuracy:.2%}", f"{low:.2%} to {high:.2%}", "24", f"{found['log_loss']:.4f}"]
    worst = crops["evaluation_crops"]["pictures"]["mistakes"][0]
    cells = next(row for row in rows(opened, "mistakes") if row[5] == "AlexNet, 10 crops")
    assert cells[1:4] == [worst["path"], worst["label"], worst["predicted"]]
    assert f"{worst['probabilities'][worst['predicted']]:.1%}" in cells[4]


def test_tables_sort(opened):
    before = rows(opened, "uncertain")
    header(opened, "uncertain", "Path").click()
    assert sorting(opened, "uncertain") == [["Path", "ascending"]]
    paths = [row[1] for row in rows(opened, "uncertain")]
    assert sorted(paths) != [row[1] for row in before]
    numbers = [int(path[5:-4]) for path in paths if path.startswith("test/")]
    assert numbers == sorted(numbers)  # 9 before 10
    header(opened, "uncertain", "Probabilities").send_keys("\ue007")
    assert sorting(opened, "uncertain") == [["Prob", "ascending"]]
    header(opened, "uncertain", "Probabilities").click()
    assert sorting(opened, "uncertain") == [["Prob", "descending"]]
    values = [float(row[4].split("\n")[1].rstrip("%")) for row in rows(opened, "uncertain")]
    assert values == sorted(values, reverse=True)
    assert sorted(map(str, rows(opened, "uncertain"))) == sorted(map(str, before))
    header(opened, "counts-table", "Class").click()
    assert [row[0] for row in rows(opened, "counts-table")] == ["<script>alert(1)</script>", "cat"]


def test_tables_filter(opened):
    everything = rows(opened, "uncertain")
    select = opened.driver.find_element("id", "uncertain-method")
    select.send_keys("AlexNet")
    assert {row[5] for row in rows(opened, "uncertain")} == {"AlexNet, 10 crops"}
    opened.driver.find_element("id", "uncertain-label").send_keys("cat")
    shown = rows(opened, "uncertain")
    assert shown == [row for row in everything if row[5] == "AlexNet, 10 crops" and row[2] == "cat"]
    opened.driver.find_element("id", "uncertain-text").send_keys("ODD")
    assert {row[1] for row in rows(opened, "uncertain")} <= {'odd "quoted" <b>.jpg'}
    status = opened.driver.find_element("css selector", "form[data-table=uncertain] [role=status]").text
    assert status == f"{len(rows(opened, 'uncertain'))} of {len(everything)} shown"
    assert len(rows(opened, "mistakes")) > 0  # has a filter of its own
    opened.driver.find_element("id", "mistakes-text").send_keys("no such path")
    assert rows(opened, "mistakes") == []


def test_every_link_leads_to_its_section(opened):
    links = opened.driver.find_elements("css selector", "a")
    assert len(links) == 7
    for link in links:
        target = link.get_dom_attribute("href")
        opened.run("scrollTo(0, 0)")
        opened.run("arguments[0].focus()", link)  # which shows the first one
        link.send_keys("\ue007")
        assert opened.run("return location.hash") == target
        box = opened.run("return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", target)
        assert box["top"] < 900
        assert box["bottom"] > 0
    assert opened.driver.get_log("browser") == []


def test_a_keyboard_finds_the_way(opened):
    opened.driver.find_element("css selector", "body").send_keys("\ue004")
    place = "const e = document.activeElement; const b = e.getBoundingClientRect(); return [e.className, b.top >= 0]"
    assert opened.run(place) == ["skip", True]
    button = header(opened, "runs", "Script")
    opened.run("arguments[0].focus({ focusVisible: true })", button)
    assert opened.run("return getComputedStyle(arguments[0]).outlineStyle", button) == "solid"
    reachable = "return [...document.querySelectorAll('.scroll')].every((e) => e.tabIndex === 0 && e.ariaLabel)"
    assert opened.run(reachable)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(browser, page, scheme):
    assert browser.open(page, scheme=scheme) == []
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, paper[4:-1].split(","))) > 384) == (scheme == "light")
    found = browser.run(CONTRAST)
    assert len(found) > 300
    assert [(round(ratio, 2), text) for ratio, text in found if ratio < 4.5] == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_is_wider_than_the_screen(browser, page, width):
    assert browser.open(page, width=width) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert len(rows(browser, "mistakes")[0]) == 6
    header(browser, "mistakes", "Label").click()
    assert sorting(browser, "mistakes") == [["Labe", "ascending"]]


def test_it_prints(browser, page):
    browser.open(page, media="print", scheme="dark")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visible = "return document.querySelector(arguments[0]).checkVisibility()"
    assert not browser.run(visible, "nav")
    assert not browser.run(visible, "form.filter")
    data = base64.b64decode(browser.tell("Page.printToPDF", paperWidth=8.27, paperHeight=11.7)["data"])
    assert data.startswith(b"%PDF")
    assert 3 <= data.count(b"/Type /Page\n") <= 30


def test_it_works_without_script(browser, page):
    try:
        browser.open(page, script=False)
        assert browser.driver.find_elements("css selector", "th button") == []
        assert not any(form.is_displayed() for form in browser.driver.find_elements("css selector", "form.filter"))
        assert "95.83%" in browser.driver.find_element("id", "answer").text
        assert browser.driver.find_element("id", "mistakes").is_displayed()
    finally:
        browser.tell("Emulation.setScriptExecutionDisabled", value=False)


def test_pictures_for_readme_can_be_taken(browser, page):
    browser.open(page)
    image = browser.picture("#data", "#feeding")
    assert image.shape[1] == 1100
    assert image.shape[0] > 500
    assert image.std() > 5
