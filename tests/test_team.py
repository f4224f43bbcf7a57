"""The compose file of docs/team: what it refers to is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

TEAM = Path(__file__).parents[1] / "docs/team"


def test_the_compose_file_refers_only_to_what_it_has() -> None:
    text = (TEAM / "compose.yaml").read_text()
    tree = yaml.safe_load(text)
    services = tree["services"]
    assert set(services) == {"postgres", "store", "prefect", "mlflow"}
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            known = (
                (TEAM / source).is_file() if source.startswith(".") else source in tree["volumes"]
            )
            assert known, volume
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "nothing is open to the world"
    assert (TEAM / services["mlflow"]["build"]["dockerfile"]).is_file()
    # Each secret is asked for where it is first used, and none is in the file.
    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert (
        set(re.findall(r"\$\{(\w+)\}", text))
        <= asked
        == {
            "POSTGRES_PASSWORD",
            "S3_USER",
            "S3_PASSWORD",
        }
    )
    pinned = (TEAM / "mlflow.Dockerfile").read_text()
    lock = (TEAM.parents[1] / "requirements.lock").read_text()
    for package in ("mlflow", "prefect"):
        version = re.search(rf"^{package}==(\S+)$", lock, re.M)
        assert version is not None and version[1] in pinned + services["prefect"]["image"]
