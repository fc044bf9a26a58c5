"""Files at T0: through the driver's front door as any call, byte by byte, and the same for the same seed."""

from harness.client.rest import RawAnswer
from harness.seeds import people, stream
from harness.targets.simulated import SimulatedTarget
from harness.targets.simulated.rest import DriverTransport

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1000
FORM = b'--b\r\nContent-Disposition: form-data; name="avatar"\r\n\r\n%s\r\n--b--\r\n'


class Visit:
    """Somebody on a simulated target who sends files."""

    def __init__(self, seed: int) -> None:
        self.target = SimulatedTarget(seed)
        draw = stream(seed, "files").random
        self.transport = DriverTransport(self.target.scheduler, self.target.driver, draw, "192.0.2.9")
        self.token = self.target.run(self.target.sign_up(people(seed, ["ann"])[0])).token
        self.started_ns = self.target.scheduler.now_ns

    def send(self, method: str, path: str, body: bytes | None = None, media: str = "multipart/form-data") -> RawAnswer:
        headers = [("Authorization", f"Bearer {self.token}"), ("Content-Type", f"{media}; boundary=b")]
        return self.target.run(self.transport.send(method, path, headers, body))

    def show(self, content: bytes) -> RawAnswer:
        return self.send("POST", "/api/v1/users/me/avatar", FORM % content)

    def url(self, answer: RawAnswer) -> str:
        return answer.body.partition(b'"avatar_url":"')[2].partition(b'"')[0].decode()


def test_a_file_comes_back_byte_by_byte() -> None:
    visit = Visit(1)
    answer = visit.show(PNG)
    picture = visit.send("GET", visit.url(answer))

    assert (answer.status, picture.status, picture.body) == (200, 200, PNG)
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["content-length"] == str(len(PNG))


def test_a_wrong_file_gets_the_servers_own_refusals() -> None:
    visit = Visit(1)
    large = b"x" * (6 * 1024 * 1024)

    assert visit.show(b"no picture").status == 400
    assert visit.show(large).status == 413
    assert visit.send("POST", "/api/v1/users/me/avatar", b"{}", "application/json").status == 415
    assert visit.send("GET", "/api/v1/avatars/unknown").status == 404


def test_the_same_seed_brings_the_same_answers_at_the_same_time() -> None:
    def story(seed: int) -> tuple[bytes, bytes, int]:
        visit = Visit(seed)
        answer = visit.show(PNG)
        return answer.body, visit.send("GET", visit.url(answer)).body, visit.target.scheduler.now_ns

    assert story(3) == story(3)
    assert story(3) != story(4)
