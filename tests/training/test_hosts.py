"""The devices and hosts of a training: as the caller says, or as launchers say in environment variables."""

import pytest

from pyimagesearch.errors import UserError
from pyimagesearch.training.hosts import Found, Hosts, Layout, find_hosts, find_layout, first_node

SLURM = {"SLURM_PROCID": "3", "SLURM_NTASKS": "4", "SLURM_JOB_NODELIST": "gpu[07-09,12]", "SLURM_JOB_ID": "81234"}
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "1234"}


def find(*values, environment=None, **more):
    return find_layout(*values, environment=environment or {}, **more)


class TestFindLayout:
    def test_without_hosts_the_environment_is_ignored(self):
        assert find(environment=SLURM) == Layout()
        assert find(2, environment=SLURM) == Layout(2)
        assert find("all") == Layout("all")

    def test_explicit_hosts(self):
        found = find(None, 2, 1, "node1:29500", join_timeout=9, lost_timeout=8)
        assert found == Layout(None, Hosts(2, 1, "node1:29500", "explicit values", 9, 8))

    def test_hosts_of_the_environment(self):
        found = find("all", "auto", environment=SLURM)
        assert found == Layout("all", Hosts(4, 3, "gpu07:21234", "Slurm", 300, 30))

    def test_explicit_values_win_over_the_environment(self):
        hosts = find(None, 3, 2, "other:1", environment=SLURM).hosts
        assert (hosts.count, hosts.index, hosts.coordinator, hosts.source) == (3, 2, "other:1", "explicit values")

    def test_kubernetes_leaves_the_rest_to_the_caller(self):
        kubernetes = {"JOB_COMPLETION_INDEX": "2"}
        hosts = find(None, 3, None, "train-0.train:29500", environment=kubernetes).hosts
        assert (hosts.count, hosts.index, hosts.source) == (3, 2, "Kubernetes")
        with pytest.raises(UserError, match=r"^hosts: Kubernetes does not give their number; .* pass hosts=N"):
            find(None, "auto", environment=kubernetes)

    def test_one_host_needs_no_coordinator(self):
        assert find(None, 1, 0).hosts.count == 1

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ((None, "auto"), "^hosts: auto needs variables of Slurm .*; found none; pass hosts=N host_index=I"),
            ((None, 2, None, "a:1"), "^host_index: must be given for 2 hosts: 0 on the first"),
            ((None, 2, 0), "^coordinator: must be given for 2 hosts: host 0 and a free port"),
            ((None, 2, 2, "a:1"), "^host_index: must be below the number of hosts, 2, .* received 2"),
            ((None, None, 1), "^host_index: needs hosts"),
            ((None, None, None, "a:1"), "^coordinator: needs hosts"),
        ],
    )
    def test_values_that_do_not_fit_are_named(self, values, message):
        with pytest.raises(UserError, match=message):
            find(*values)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("node1,node2", "node1"),
        ("gpu[07-09,12]", "gpu07"),
        ("gpu[12]", "gpu12"),
        ("gpu[3,1-2]", "gpu3"),
        ("a-[1-2]-ib,b[3-4]", "a-1-ib"),
        ("login1,gpu[1-4]", "login1"),
    ],
)
def test_first_node(nodes, first):
    assert first_node(nodes) == first


def test_no_launcher():
    assert find_hosts({}) is None


def test_slurm():
    assert find_hosts(SLURM) == Found("Slurm", 4, 3, "gpu07:21234")


def test_a_step_of_slurm_may_have_fewer_tasks_and_nodes_than_its_job():
    step = {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "gpu12"}
    assert find_hosts(SLURM | step) == Found("Slurm", 2, 3, "gpu12:21234")


def test_jobs_on_the_same_node_meet_at_different_ports():
    assert find_hosts(SLURM).coordinator != find_hosts(SLURM | {"SLURM_JOB_ID": "81235"}).coordinator


def test_kubernetes_gives_the_index_alone():
    assert find_hosts({"JOB_COMPLETION_INDEX": "2"}) == Found("Kubernetes", None, 2, None)


def test_torchrun_listens_at_its_own_port_itself():
    assert find_hosts(TORCHRUN) == Found("RANK and WORLD_SIZE", 2, 1, "10.0.0.1:1235")
    without_port = {name: value for name, value in TORCHRUN.items() if name != "MASTER_PORT"}
    assert find_hosts(without_port).coordinator == "10.0.0.1:29501"


def test_the_nearest_launcher_wins():
    assert find_hosts(SLURM | TORCHRUN).source == "RANK and WORLD_SIZE"


@pytest.mark.parametrize(("environment", "name"), [(SLURM, "SLURM_PROCID"), (TORCHRUN, "RANK")])
def test_a_number_that_is_none(environment, name):
    with pytest.raises(UserError, match=f"^{name}: must be a whole number in the environment; received 'two'"):
        find_hosts(environment | {name: "two"})
