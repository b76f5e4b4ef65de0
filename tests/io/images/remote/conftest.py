import ipaddress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from tests.io.images.remote.webserver import NAMES, OTHERS, serving


@pytest.fixture
def folder(tmp_path):
    for name in [*NAMES, *OTHERS]:
        (tmp_path / "my pets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my pets" / name).write_bytes(name.encode())
    return tmp_path / "my pets"


@pytest.fixture
def web(folder, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(folder.parent) as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    """Return a file with a key and a certificate for this machine."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(address, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(key.private_bytes(*form) + signed.public_bytes(form[0]))
    return path


@pytest.fixture
def pauses(monkeypatch):
    """Return the pauses that would have been made."""
    from pyimagesearch.io.images import webfolder

    found = []
    monkeypatch.setattr(webfolder, "time", SimpleNamespace(sleep=found.append))
    return found


@pytest.fixture
def memory():
    """Return a function that fills ``memory://``."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")

    def fill(files):
        for name, data in files.items():
            system.pipe(f"memory://{name}", data)

    yield fill
    system.store.clear()
    system.pseudo_dirs[:] = [""]
