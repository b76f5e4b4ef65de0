"""The page in a real browser: what a reader sees, and can do."""

import base64
import io
import unicodedata

import pytest


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


@pytest.mark.parametrize("width", [320, 360, 768, 1600])
def test_nothing_is_wider_than_the_screen(browser, page, width):
    assert browser.open(page, width=width) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert len(rows(browser, "mistakes")[0]) == 6
    header(browser, "mistakes", "Label").click()
    assert sorting(browser, "mistakes") == [["Labe", "ascending"]]


PRINTED = {"paperWidth": 8.27, "paperHeight": 11.7, "printBackground": False}  # A4, in inches
BETWEEN_MARGINS = 718  # pixels of its width


def test_nothing_is_cut_off_on_paper(browser, page):
    browser.open(page, width=BETWEEN_MARGINS, media="print", scheme="dark")
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("return document.documentElement.scrollWidth") <= BETWEEN_MARGINS
    outside = browser.run(
        """return [...document.body.querySelectorAll("*")].filter((e) => e.checkVisibility() && !e.closest(".skip"))
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 3 || e.getBoundingClientRect().left < -3)
        .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert outside == []
    hidden = browser.run(
        """return [...document.body.querySelectorAll(".scroll, pre")].filter((e) => e.scrollWidth > e.clientWidth + 1
        && getComputedStyle(e).overflowX !== "visible").length"""
    )
    assert hidden == 0
    for selector in ("nav", "form.filter"):
        assert not browser.run("return document.querySelector(arguments[0]).checkVisibility()", selector)


def test_it_prints(browser, page, runs):
    pypdf = pytest.importorskip("pypdf")
    browser.open(page)
    printed = pypdf.PdfReader(io.BytesIO(base64.b64decode(browser.tell("Page.printToPDF", **PRINTED)["data"])))
    assert 3 <= len(printed.pages) <= 30
    text = " ".join(" ".join(page.extract_text() for page in printed.pages).split())
    text = unicodedata.normalize("NFKC", text)  # which takes ligatures apart
    shown = browser.run("return new Set([...document.images].map((image) => image.src)).size")
    assert sum(len(page.images) for page in printed.pages) >= shown > 50
    results = next(run.results for run in reversed(runs) if "rank1_crops" in run.results)
    for words in (
        "The answer", f"{results['rank1_crops']:.2%}", "Most confident mistakes", "How to repeat it", "test/2.jpg",
        "AUGMENTATION", "images/s",
    ):  # fmt: skip
        assert words in text, words


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
