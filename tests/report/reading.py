"""The page as a program reads it: its elements, its text, its headings."""

import re
from html.parser import HTMLParser

from pyimagesearch.report.page import render
from pyimagesearch.runs.record import read_runs

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Reader(HTMLParser):
    """Collects what the tests ask for, and finds elements that are not closed as they were opened."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.headings = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read_page(record):
    return Reader(render(read_runs(record.path)))
