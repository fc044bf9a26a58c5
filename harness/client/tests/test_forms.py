"""A form is what RFC 7578 shows, and tells of its file only how much and which."""

from email import message_from_bytes
from email.message import Message

from harness.client.forms import FORM_TYPE, File, Form

FORM = Form([("name", "Zoë"), ("capabilities", "a"), ("capabilities", "b")], File("wasm_binary", b"\x00asm\r\n--\r\n"))


def parts() -> list[Message]:
    read = message_from_bytes(f"Content-Type: {FORM_TYPE}\r\n\r\n".encode() + FORM.encoded())
    payload = read.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def test_fields_come_in_their_order_and_the_file_last() -> None:
    names = [part.get_param("name", header="content-disposition") for part in parts()]

    assert names == ["name", "capabilities", "capabilities", "wasm_binary"]
    assert [part.get_payload(decode=True) for part in parts()][:2] == ["Zoë".encode(), b"a"]
    assert parts()[-1].get_filename() == "zsh.bin"
    assert FORM.encoded().count(b"\x00asm\r\n--\r\n\r\n--") == 1


def test_the_history_is_told_texts_and_of_the_file_size_and_digest() -> None:
    assert FORM.file is not None
    assert FORM.shown() == {
        "name": "Zoë",
        "capabilities": ["a", "b"],
        "wasm_binary": {"bytes": 10, "sha256": FORM.file.sha256},
    }
    assert Form().shown() == {}


def test_a_prefix_is_put_before_one_field_alone() -> None:
    assert FORM.prefixed("name", "zsh-1") == Form([("name", "zsh-1 Zoë"), *FORM.fields[1:]], FORM.file)
