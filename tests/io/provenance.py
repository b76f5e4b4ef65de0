"""Options of a test that say where rows come from, as the writer takes them."""

from dataclasses import fields

from pyimagesearch.io.format.header import Provenance


def with_provenance(options):
    """Return options in which ``history``, ``build`` and the like are a `Provenance`."""
    names = {field.name for field in fields(Provenance)} & options.keys()
    rest = {name: value for name, value in options.items() if name not in names}
    return {**rest, "provenance": Provenance(**{name: options[name] for name in names})}
