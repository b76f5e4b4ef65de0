"""The page of a training in a real browser: it follows, and who does not see it is told as much."""

import time

import pytest

from pyimagesearch.watch import PageServer
from tests.report.accessibility import TEXTS, contrasts, having, read_tree
from tests.report.browser import Browser, NoBrowserError


@pytest.fixture(scope="module")
def browser():
    try:
        opened = Browser()
    except NoBrowserError as error:
        pytest.skip(str(error))
    yield opened
    opened.close()


@pytest.fixture
def server():
    with PageServer(0) as served:
        yield served


def state(epoch, **changes):
    """Return what is published in the midst of an epoch."""
    history = {
        "loss": [1.0, 0.75, 0.5], "val_loss": [1.25, 0.875, None], "accuracy": [0.5, 0.75, 0.875],
        "val_accuracy": [0.5, 0.625, 0.75], "learning_rate": [1e-3, 5e-4, 1e-5],
        "images_per_second": [99.0, 200.0, 210.5], "waiting": [0.25, 0.0, 0.125],
    }  # fmt: skip
    return {
        "title": "AlexNet <b>", "status": "training", "epochs": 4, "epoch": epoch, "batches": 10, "batch": 5,
        "best_epoch": epoch - 1, "best_accuracy": history["val_accuracy"][epoch - 2], "images_per_second": 123.4,
        "waiting": 0.0625, "seconds_left": 150, "history": {name: each[: epoch - 1] for name, each in history.items()},
    } | changes  # fmt: skip


def text_of(browser, name):
    return browser.driver.find_element("id", name).text


def eventually(holds):
    until = time.monotonic() + 10
    while time.monotonic() < until and not holds():
        time.sleep(0.05)
    return holds()


def test_it_follows_the_training_to_its_end(browser, server):
    server.publish(state(2))
    assert browser.open(server.url) == []
    assert eventually(lambda: text_of(browser, "status") == "training, epoch 2 of 4")
    assert browser.driver.title == text_of(browser, "title") == "AlexNet <b>"
    shown = {name: text_of(browser, name) for name in ("epoch", "batch", "left", "speed", "waiting", "best")}
    assert shown == {
        "epoch": "2 of 4", "batch": "5 of 10", "left": "2 min 30 s", "speed": "123", "waiting": "6.3%",
        "best": "1 (50.0%)",
    }  # fmt: skip
    server.publish(state(4))
    assert eventually(lambda: text_of(browser, "status") == "training, epoch 4 of 4")
    assert "validation 0.75" in text_of(browser, "charts")
    server.publish(state(4, status="done"))
    assert eventually(lambda: text_of(browser, "status") == "done")
    assert browser.driver.get_log("browser") == []


def test_it_says_that_the_training_is_gone(browser):
    with PageServer(0) as server:
        server.publish(state(3))
        browser.open(server.url)
        assert eventually(lambda: text_of(browser, "status").startswith("training"))
    assert eventually(lambda: text_of(browser, "status").startswith("no answer: the training has ended"))
    assert text_of(browser, "epoch") == "3 of 4"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
def test_it_can_be_read(browser, server, width, scheme):
    server.publish(state(4))
    browser.open(server.url, width=width, scheme=scheme)
    assert eventually(lambda: text_of(browser, "epoch") == "4 of 4")
    browser.run("document.querySelector('details').open = true")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    found = contrasts(browser, TEXTS)
    assert len(found) > 50
    assert [(round(ratio, 2), what) for ratio, what in found if ratio < 4.5] == []


def test_it_can_be_heard(browser, server):
    server.publish(state(4))
    browser.open(server.url)
    assert eventually(lambda: text_of(browser, "epoch") == "4 of 4")
    browser.run("document.querySelector('details').open = true")
    tree = read_tree(browser)
    assert browser.run("return document.documentElement.lang") == "en"
    assert {"main", "banner", "status"} <= {node.role for node in tree}
    assert [node.properties["level"] for node in having(tree, "heading")] == [1, 2, 2, 2, 2]
    assert "Loss after 3 of 4 epochs: training 0.5, validation 0.875" in {node.name for node in having(tree, "image")}
    assert [node.name for node in having(tree, "progressbar", "ProgressIndicator")] == ["Training", "Epoch"]
    assert [node.name for node in having(tree, "table")] == ["Numbers of each epoch"]
    headers = [node.name for node in having(tree, "columnheader")]
    assert headers[:3] == ["epoch", "loss", "val loss"]
