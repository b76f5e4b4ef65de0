"""Sharing the work, as far as one process can tell."""

import contextlib
import os

import numpy as np
import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.io.batching.share import Share
from pyimagesearch.training.hosts import Hosts, Layout
from pyimagesearch.training.world import World, open_world


@pytest.fixture
def hosts():
    return Hosts(4, 1, "localhost:1", "explicit values", 1, 1)


def test_nothing_is_asked_for():
    with open_world(Layout(), 7) as world:
        assert (world.size, world.share, world.is_first, world.rows(33)) == (1, Share(), True, 33)


def test_shares(hosts):
    world = World(hosts, 2)
    assert (world.size, world.share, world.is_first, world.rows(33)) == (8, Share(1, 4, 2), False, 32)


@pytest.mark.parametrize(("batch_size", "nearest"), [(30, 32), (33, 32), (3, 8), (11, 8), (13, 16)])
def test_a_batch_that_cannot_be_shared_names_the_nearest_that_can(hosts, batch_size, nearest):
    words = rf"^batch_size: must be a multiple of the 8 devices \(4 hosts with 2 each\).* take {nearest}$"
    with pytest.raises(UserError, match=words):
        World(hosts, 2).check_batch(batch_size)
    World(hosts, 2).check_batch(nearest)


def test_validation_that_takes_several_visits_is_explained(hosts, caplog):
    caplog.set_level("INFO")
    World(hosts, 2).explain_visits(64)
    assert not caplog.messages
    World(hosts, 2).explain_visits(50)
    assert "every image validates 4 times, so that 8 devices have equally many" in caplog.text


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_hosts_need_jax(hosts, monkeypatch, backend):
    monkeypatch.setattr("keras.config.backend", lambda: backend)
    words = f"^hosts: needs Keras on JAX; received the backend {backend}; set KERAS_BACKEND=jax"
    with pytest.raises(UserError, match=words), open_world(Layout(hosts=hosts), 8):
        pass


def test_devices_need_jax_or_tensorflow(monkeypatch):
    monkeypatch.setattr("keras.config.backend", lambda: "torch")
    words = "^devices: needs Keras on JAX or TensorFlow; received torch; set KERAS_BACKEND=jax"
    with pytest.raises(UserError, match=words), open_world(Layout("all"), 8):
        pass


@pytest.mark.parametrize("differs", [False, True])
def test_hosts_that_are_about_to_do_something_else_are_named(hosts, monkeypatch, differs):
    gathering = pytest.importorskip("jax.experimental.multihost_utils")
    monkeypatch.setattr(
        gathering, "process_allgather", lambda digest: np.stack([digest, digest, digest + differs, digest])
    )
    words = "^hosts: all must have the same .*; unlike host 0 is host 2; host 1 of 4 has: 3 epochs; use one shared"
    with pytest.raises(UserError, match=words) if differs else contextlib.nullcontext():
        World(hosts).begin("3 epochs", "last.keras", False)


def test_a_checkpoint_counts_once_this_training_has_replaced_it(tmp_path):
    path, world = tmp_path / "last.keras", World()
    world.begin("", path, False)
    assert not world.checkpoint.exists
    path.write_text("of an earlier training")
    world.begin("", path, False)
    assert not world.checkpoint.exists
    path.unlink()
    path.write_text("of this training")
    os.utime(path, (1, 1))
    assert world.checkpoint.exists
    world.begin("", path, True)
    assert world.checkpoint.exists
