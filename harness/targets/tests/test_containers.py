"""What needs a container engine: the reference image, Redis and an S3 peer as targets.

To come here: the image built from our wheel as a target of the conformance suite and of a run on sockets,
Redis under the bus's suite, an S3 peer under the blobs' suite. Until then the one test here is skipped, and
counted, with the reason.
"""

import shutil
import subprocess

import pytest

ENGINE_S_MAX = 20


@pytest.fixture
def engine() -> str:
    """The container engine's command; skip in clear words when none can run."""
    command = shutil.which("docker") or shutil.which("podman")
    if command is None:
        pytest.skip("no container engine: neither docker nor podman is installed")
    try:
        asked = subprocess.run([command, "info"], capture_output=True, text=True, timeout=ENGINE_S_MAX, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"no container engine: {command} did not answer within {ENGINE_S_MAX} s")
    if asked.returncode != 0:
        pytest.skip(f"no container engine: {command} is installed, its engine does not run")
    return command


@pytest.mark.containers
def test_the_image_redis_and_s3_pass_the_suites_of_the_targets(engine: str) -> None:
    pytest.skip(f"{engine} runs; the reference image, Redis and the S3 peer as targets are not written yet")
