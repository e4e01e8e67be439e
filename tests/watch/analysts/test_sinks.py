from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import BinaryIO, Self

import pytest

from imagery.errors import CredentialsError
from imagery.model import Detection
from watch.chat import Chat
from watch.credentials import Secret, find_credentials, find_secret
from watch.doctor import examine
from watch.errors import NotifyError, WorkspaceError
from watch.mail import Mail
from watch.notify import Delivered, Means, notify
from watch.notify_settings import EmailSettings, NotifySettings, Security
from watch.settings import SETTINGS_FILE, read_settings
from watch.sinks import Appended, Message
from watch.told import NOTIFIED_FILE
from watch.webhook import ID_HEADER, SIGNATURE_HEADER, Webhook
from watch.workspace import Workspace

NOW = datetime(2021, 6, 1, 6, tzinfo=UTC)
CANARY = "canary-9f2e"
Put = Callable[..., None]
Give = Callable[[Workspace, str], Workspace]

MESSAGE = Message(
    "word-1",
    NOW,
    "Yard: probable change",
    "* Yard, 조용한\n.\n..two dots\n",
    "<p>Yard &lt;b&gt;</p>",
    {"id": "word-1"},
)


@dataclass
class MailServer:
    """Speaks SMTP to one client at a time, as far as a mail needs it."""

    context: ssl.SSLContext | None = None
    password: str = CANARY
    refuse: bytes = b""
    """Answer to the mail itself, instead of taking it."""
    mails: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        # A closed socket does not wake accept; a last visitor does.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client, suppress(OSError):
                self._talk(client)

    def _talk(self, client: socket.socket, greeting: bytes = b"220 stub ESMTP\r\n") -> None:
        client.sendall(greeting)
        secure = not greeting
        with client.makefile("rb") as stream:
            while line := stream.readline():
                verb = line.split()[0].upper().decode() if line.split() else ""
                self.commands.append(verb)
                if verb == "STARTTLS" and self.context is not None:
                    client.sendall(b"220 go on\r\n")
                    with self.context.wrap_socket(client, server_side=True) as wrapped:
                        self._talk(wrapped, b"")
                    return
                client.sendall(self._answer(verb, line, secure=secure))
                if verb == "DATA":
                    client.sendall(self._take(stream))
                if verb == "QUIT":
                    return

    def _answer(self, verb: str, line: bytes, *, secure: bool) -> bytes:
        offers = b"250-AUTH PLAIN\r\n" if secure or self.context is None else b"250-STARTTLS\r\n"
        answers = {
            "EHLO": b"250-stub\r\n" + offers + b"250 8BITMIME\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n",
            "STARTTLS": b"502 no\r\n",
        }
        return self._login(line) if verb == "AUTH" else answers.get(verb, b"250 ok\r\n")

    def _take(self, stream: BinaryIO) -> bytes:
        body = b""
        while (part := stream.readline()) not in {b".\r\n", b""}:
            body += part
        if not self.refuse:
            self.mails.append(body)
        return self.refuse or b"250 taken\r\n"

    def _login(self, line: bytes) -> bytes:
        given = base64.b64decode(line.split()[2]).split(b"\0")[2]
        right = given.decode() == self.password
        # A server that repeats what it was told: its words must not be passed on.
        return b"235 welcome\r\n" if right else b"535 no user with password " + given + b"\r\n"


@dataclass
class Posted:
    """One request that a web server got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Takes posts and answers with a status."""

    status: int = 204
    location: str = ""
    posts: list[Posted] = field(default_factory=list)

    def __enter__(self) -> Self:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append(Posted(self.path, dict(self.headers.items()), body))
                self.send_response(outer.status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - likewise

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate for this machine that nobody trusts unless told to, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is missing")
    folder = tmp_path_factory.mktemp("certificate")
    key, file = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-keyout", str(key), "-out", str(file), "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return file, key


def mailed(server: MailServer, **changes: object) -> Mail:
    values = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": Security.NONE,
        "sender": "watch@example.org",
        "to": ("anna@example.org", "bo@example.org"),
    }
    return Mail(EmailSettings.model_validate(values | changes), Secret(CANARY), timeout_s=5)


def parsed(data: bytes) -> EmailMessage:
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_mail_arrives_as_text_and_html_with_an_id_that_stays() -> None:
    with MailServer() as server:
        sink = mailed(server, user="anna")
        sink.deliver(MESSAGE)
        sink.deliver(MESSAGE)
    first, second = (parsed(mail) for mail in server.mails)
    assert first["Message-ID"] == second["Message-ID"] == "<word-1@sitewatch.invalid>"
    assert first["Subject"] == MESSAGE.subject
    assert first["To"] == "anna@example.org, bo@example.org"
    assert first["Date"] == "Tue, 01 Jun 2021 06:00:00 +0000"
    assert first["Auto-Submitted"] == "auto-generated"
    plain, html = first.get_body(("plain",)), first.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").replace("\n..\n", "\n.\n").split() == (
        MESSAGE.text.replace("..two", "...two").split()
    )
    assert html.get_content().strip() == MESSAGE.html
    assert "AUTH" in server.commands
    assert CANARY.encode() not in b"".join(server.mails)


def test_a_subject_can_not_add_a_header() -> None:
    with MailServer() as server:
        mailed(server).deliver(replace(MESSAGE, subject="a\r\nBcc: evil@example.org\r\n\r\nbody"))
    mail = parsed(server.mails[0])
    assert mail["Bcc"] is None
    assert mail["Subject"] == "a Bcc: evil@example.org body"
    assert server.commands.count("RCPT") == 2


def test_starttls_and_tls_need_a_certificate_that_is_trusted(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with MailServer(context) as server:
        sink = mailed(server, security=Security.STARTTLS, host="localhost", user="anna")
        with pytest.raises(NotifyError, match="no trusted encryption"):
            sink.deliver(MESSAGE)
        assert server.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        sink.deliver(MESSAGE)
        assert len(server.mails) == 1
        assert server.commands.index("STARTTLS") < server.commands.index("AUTH")


def test_a_server_without_starttls_gets_neither_mail_nor_password() -> None:
    with MailServer() as server:
        sink = mailed(server, security=Security.STARTTLS, host="localhost", user="anna")
        with pytest.raises(NotifyError, match="does not offer"):
            sink.deliver(MESSAGE)
    assert server.mails == []
    assert "AUTH" not in server.commands


def test_what_a_mail_server_says_of_a_password_is_not_passed_on() -> None:
    with MailServer(password="another") as server:  # noqa: S106 - the canary is the wrong one here
        with pytest.raises(NotifyError, match="refuses user and password") as caught:
            mailed(server, user="anna").deliver(MESSAGE)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
    with MailServer(refuse=b"552 too much\r\n") as server, pytest.raises(NotifyError, match="code 552"):
        mailed(server).deliver(MESSAGE)
    gone = socket.create_server(("127.0.0.1", 0))
    port = gone.getsockname()[1]
    gone.close()
    with pytest.raises(NotifyError, match="refused"):
        Mail(
            EmailSettings(host="127.0.0.1", port=port, security=Security.NONE, sender="a@b.c", to=("a@b.c",)),
            None,
            timeout_s=5,
        ).deliver(MESSAGE)


def test_a_post_is_json_signed_and_carries_its_id() -> None:
    with WebServer() as server:
        Webhook(f"{server.url}/hook?x=1", Secret("key"), timeout_s=5).deliver(MESSAGE)
        Webhook(f"{server.url}/hook", None, timeout_s=5).deliver(MESSAGE)
    first, second = server.posts
    assert json.loads(first.body) == {
        "subject": MESSAGE.subject,
        "text": MESSAGE.text,
        "digest": {"id": "word-1"},
    }
    assert first.path == "/hook?x=1"
    assert first.headers[ID_HEADER] == "word-1"
    signature = hmac.new(b"key", first.body, hashlib.sha256).hexdigest()
    assert first.headers[SIGNATURE_HEADER] == f"sha256={signature}"
    assert SIGNATURE_HEADER not in second.headers


def test_redirects_are_not_followed_and_no_password_is_sent_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login anna password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with WebServer() as inner, WebServer(status=307, location=f"{inner.url}/secret") as server:
        with pytest.raises(NotifyError, match="answers 307, a redirect, which is not followed"):
            Webhook(f"{server.url}/hook-{CANARY}", None, timeout_s=5).deliver(MESSAGE)
        assert inner.posts == []
        assert "Authorization" not in server.posts[0].headers


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_failure_that_does_not_show_the_address(status: int) -> None:
    with WebServer(status=status) as server, pytest.raises(NotifyError, match=f"answers {status}") as caught:
        Webhook(f"{server.url}/hook-{CANARY}", None, timeout_s=5).deliver(MESSAGE)
    assert CANARY not in f"{caught.value} {Webhook(f'{server.url}/{CANARY}', None, timeout_s=5)!r}"
    with pytest.raises(NotifyError, match="no connection") as caught:
        Webhook(f"{server.url}/hook-{CANARY}", None, timeout_s=5).deliver(MESSAGE)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_answer_that_does_not_come_is_waited_for_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(NotifyError, match="no answer in time"):
            Webhook(f"http://127.0.0.1:{port}/", None, timeout_s=0.05).deliver(MESSAGE)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/hook",
        "http://10.0.0.1/hook",
        "http://127.0.0.1.example.org/",
        "http://localhost.example.org/",
        "http://[::ffff:127.0.0.1]/",
        "https://user:password@example.org/",
        "https://example.org\\@127.0.0.1/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "https:///path",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://example.org/\nHost: x",
        "example.org",
    ],
)
def test_other_addresses_are_refused_and_not_shown(
    watched: Workspace, with_settings: Give, address: str
) -> None:
    workspace = with_settings(watched, "[notify]\nwebhook = true\n")
    done = notify(workspace, now=NOW, means=Means({"SITEWATCH_WEBHOOK_URL": address}))
    (sink,) = done.sinks
    assert sink.failure
    assert address not in sink.failure
    assert not (watched.root / NOTIFIED_FILE).exists()


@pytest.mark.parametrize(
    "text",
    [
        '[notify.email]\nhost = "mail.example.org"\n',
        '[notify.email]\nhost = "mail.example.org"\nsender = "a@b.c"\nto = ["a@b.c"]\nsecurity = "none"\n',
        '[notify.email]\nsender = "a@b.c\\nBcc: x@y.z"\n',
        '[notify.email]\nto = ["A <a@b.c>"]\n',
        f'[notify.email]\npassword = "{CANARY}"\n',
        f'[notify]\nwebhook = "https://example.org/{CANARY}"\n',
        '[notify]\nfile = "../outside"\n',
        '[notify]\nfile = "/etc/passwd"\n',
        "[notify]\ncooldown_days = -1\n",
    ],
)
def test_settings_that_can_not_work_or_would_hold_secrets_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / SETTINGS_FILE
    file.write_text(text)
    with pytest.raises(WorkspaceError, match=r"notify") as caught:
        read_settings(file)
    assert CANARY not in str(caught.value)


def test_secrets_come_from_the_environment_or_a_private_file(tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    file = tmp_path / "credentials.toml"
    assert find_secret(tmp_path, home, "smtp", "password") is None
    file.write_text(f'[smtp]\npassword = "{CANARY}"\n')
    file.chmod(0o600)
    found = find_secret(tmp_path, home, "smtp", "password")
    assert found is not None
    assert found.value == CANARY
    assert CANARY not in f"{found} {found!r}"
    assert find_credentials(tmp_path, home) is None  # a file without an image service is no fault
    assert find_secret(tmp_path, home, "webhook", "secret") is None
    other = find_secret(tmp_path, home | {"SITEWATCH_SMTP_PASSWORD": "env"}, "smtp", "password")
    assert other is not None
    assert other.value == "env"
    file.chmod(0o644)
    with pytest.raises(CredentialsError, match="others on this machine may read it"):
        find_secret(tmp_path, home, "smtp", "password")
    file.chmod(0o600)
    for bad in (f'smtp = "{CANARY}"', f'[smtp]\npassword = "{CANARY}', f'[smtp]\npassword = ["{CANARY}"]'):
        file.write_text(bad)
        with pytest.raises(CredentialsError) as caught:
            find_secret(tmp_path, home, "smtp", "password")
        assert CANARY not in str(caught.value)
    with pytest.raises(CredentialsError, match="line ends"):
        find_secret(tmp_path, {"SITEWATCH_SMTP_PASSWORD": f"{CANARY}\r\nRSET"}, "smtp", "password")


def test_chats_without_apprise_or_address_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotifyError, match="SITEWATCH_CHAT_URLS"):
        Chat(None).deliver(MESSAGE)
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(NotifyError, match=r"pip install 'sitewatch\[notify\]'"):
        Chat(Secret("json://127.0.0.1/")).deliver(MESSAGE)


def test_chats_get_subject_and_text_and_their_addresses_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[list[str], str, str]] = []

    class Apprise:
        def __init__(self) -> None:
            self.addresses: list[str] = []

        def add(self, address: str) -> bool:
            self.addresses.append(address)
            return "bad" not in address

        def notify(self, *, title: str, body: str, body_format: str) -> bool:
            assert body_format == "text"
            sent.append((self.addresses, title, body))
            return "down" not in self.addresses[0]

    module = types.ModuleType("apprise")
    vars(module).update(Apprise=Apprise, NotifyFormat=types.SimpleNamespace(TEXT="text"))
    monkeypatch.setitem(sys.modules, "apprise", module)
    Chat(Secret(f"slack://{CANARY} json://127.0.0.1")).deliver(MESSAGE)
    assert sent == [([f"slack://{CANARY}", "json://127.0.0.1"], MESSAGE.subject, MESSAGE.text)]
    for addresses, words in (
        (f"slack://{CANARY} bad://{CANARY}", "address 2"),
        (f"down://{CANARY}", "not every"),
    ):
        with pytest.raises(NotifyError, match=words) as caught:
            Chat(Secret(addresses)).deliver(MESSAGE)
        assert CANARY not in str(caught.value)


def test_doctor_looks_at_the_sinks_and_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.create(tmp_path / "w", builtin=False)
    environment = {"HOME": str(tmp_path)}

    def word(**settings: object) -> tuple[str, str]:
        notify = NotifySettings.model_validate(settings)
        there = replace(workspace, settings=workspace.settings.model_copy(update={"notify": notify}))
        (found,) = (each for each in examine(there, environment) if each.what == "word")
        return found.state.value, found.words

    assert word() == ("good", "goes to standard output; [notify] names no other sink")
    assert word(file="words.txt", feed=True) == ("good", "goes to file, feed")
    mail = {"host": "mail.invalid", "user": "watch", "sender": "a@example.org", "to": ["b@example.org"]}
    state, words = word(email=mail, webhook=True, chat=True)
    assert state == "bad"
    assert [part.split(":")[0] for part in words.split("; ")] == ["email", "webhook", "chat"]
    for name in ("SMTP_PASSWORD", "WEBHOOK_URL", "CHAT_URLS"):
        assert f"SITEWATCH_{name}" in words
    environment |= {"SITEWATCH_SMTP_PASSWORD": CANARY, "SITEWATCH_WEBHOOK_URL": f"https://x.invalid/{CANARY}"}
    assert word(email=mail, webhook=True) == ("good", "goes to email, webhook")
    environment |= {"SITEWATCH_WEBHOOK_URL": f"http://x.invalid/{CANARY}", "SITEWATCH_CHAT_URLS": "json://x"}
    monkeypatch.setitem(sys.modules, "apprise", None)
    state, words = word(webhook=True, chat=True)
    assert state == "bad"
    assert "pip install 'sitewatch[notify]'" in words
    assert CANARY not in words


def test_a_file_gets_a_message_once_also_after_half_of_it(tmp_path: Path) -> None:
    sink = Appended(tmp_path / "log.txt")
    sink.deliver(MESSAGE)
    whole = sink.path.read_bytes()
    sink.deliver(MESSAGE)
    assert sink.path.read_bytes() == whole
    sink.path.write_bytes(whole[: len(whole) // 2])
    sink.deliver(MESSAGE)
    assert sink.path.read_bytes().endswith(whole)


def test_no_secret_gets_into_what_is_kept_or_said(
    watched: Workspace,
    detection: Detection,
    put: Put,
    with_settings: Give,
    capfd: pytest.CaptureFixture[str],
) -> None:
    put(watched, [detection])
    environment = {
        "SITEWATCH_SMTP_PASSWORD": CANARY,
        "SITEWATCH_WEBHOOK_SECRET": CANARY,
        "SITEWATCH_CHAT_URLS": f"json://{CANARY}@127.0.0.1:9/",
    }

    def tell(workspace: Workspace, hook: str) -> Delivered:
        means = Means(environment | {"SITEWATCH_WEBHOOK_URL": hook})
        return notify(workspace, now=NOW, means=means)

    with MailServer() as mail, WebServer() as web:
        text = (
            f"[notify]\nchat = true\nwebhook = true\n[notify.email]\nhost = '127.0.0.1'\nport = {mail.port}\n"
            "security = 'none'\nuser = 'anna'\nsender = 'a@b.c'\nto = ['b@b.c']\n"
        )
        workspace = with_settings(watched, text)
        mail.password, web.status = "another", 500
        failed = tell(workspace, f"{web.url}/{CANARY}")
        assert [bool(each.failure) for each in failed.sinks] == [True, True, True]
        mail.password, web.status = CANARY, 200
        done = tell(workspace, f"{web.url}/{CANARY}")
        assert [bool(each.failure) for each in done.sinks] == [False, False, True]
        again = tell(workspace, f"{web.url}/{CANARY}")
        assert [len(each.digests) for each in again.sinks] == [0, 0, 0]
    # What failed was sent again under the same id, and then not any more.
    assert [post.headers[ID_HEADER] for post in web.posts] == [web.posts[0].headers[ID_HEADER]] * 2
    assert len(mail.mails) == 1
    kept = b"".join(path.read_bytes() for path in watched.root.rglob("*") if path.is_file())
    said = capfd.readouterr()
    told = [repr(each) for each in (failed, done, workspace, Means(environment))]
    bodies = [post.body.decode() for post in web.posts] + [mail_.decode() for mail_ in mail.mails]
    assert CANARY not in "".join([kept.decode(errors="replace"), said.out, said.err, *told, *bodies])
