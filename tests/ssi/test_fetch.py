"""What is fetched, what never is, and that every limit holds against a real server on loopback."""

from __future__ import annotations

import doctest
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused, SsiError, Unavailable, Unsupported
from ssi.fetch import BoundedFetch, addresses, protocol
from ssi.fetch.bounded import _Target


class Handler(BaseHTTPRequestHandler):
    """A server with good and bad manners, by path."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""

    def _send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path
        if path == "/echo":
            self._send(200, str(self.headers).encode(), Content_Type="Text/Plain; charset=utf-8")
        elif path.startswith("/loop"):
            self._send(302, Location=path + "x")
        elif path == "/moved":
            self._send(301, Location="/echo")
        elif path.startswith("/to?"):
            self._send(307, Location=path[4:])
        elif path == "/big":
            self._send(200, b"x" * 5000)
        elif path == "/gzip":
            self._send(200, b"x", Content_Encoding="gzip")
        elif path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for n in range(100):
                time.sleep(0.1)
                try:
                    self.wfile.write(f"X-{n}: y\r\n".encode())
                except OSError:
                    return
        elif path == "/nonsense":
            self.wfile.write(b"\x00\x01\x02 hello\r\n\r\n")
            self.close_connection = True
        else:
            self._send(404, b"nothing")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/moved":
            self._send(307, Location="/echo")
        else:
            self._send(200, body, Content_Type=self.headers["Content-Type"])


class QuietServer(ThreadingHTTPServer):
    """Clients that hang up are what these tests are about."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Tests are quiet."""


def _certificate(
    name: str, public: ec.EllipticCurvePublicKey, ca: tuple[str, ec.EllipticCurvePrivateKey]
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ca[0])]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=name == ca[0], path_length=None), critical=True)
    )
    if name != ca[0]:
        names = [
            x509.DNSName("localhost"),
            x509.DNSName("shop.test"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca[1], hashes.SHA256())


class Site:
    """A TLS server on loopback and the authority that vouches for it."""

    def __init__(self, folder: Path) -> None:
        ca, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self.ca_file = str(folder / "ca.pem")
        Path(self.ca_file).write_bytes(
            _certificate("Test CA", ca.public_key(), ("Test CA", ca)).public_bytes(serialization.Encoding.PEM)
        )
        pem = folder / "site.pem"
        pem.write_bytes(
            _certificate("localhost", leaf.public_key(), ("Test CA", ca)).public_bytes(serialization.Encoding.PEM)
            + leaf.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.tls = QuietServer(("127.0.0.1", 0), Handler)
        self.tls.socket = context.wrap_socket(self.tls.socket, server_side=True, do_handshake_on_connect=False)
        self.plain = QuietServer(("127.0.0.1", 0), Handler)
        for server in (self.tls, self.plain):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.port, self.plain_port = self.tls.server_address[1], self.plain.server_address[1]

    def close(self) -> None:
        for server in (self.tls, self.plain):
            server.shutdown()
            server.server_close()

    def url(self, path: str, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture
def fetch(site: Site) -> BoundedFetch:
    return BoundedFetch(allow_loopback=True, ca_file=site.ca_file)


def code_of(call: Callable[[], object], kind: type[SsiError] = SsiError) -> str:
    with pytest.raises(kind) as refusal:
        call()
    return refusal.value.code


def test_get_brings_status_headers_and_body(site: Site, fetch: BoundedFetch) -> None:
    answer = fetch.get(site.url("/echo"), accept="application/json", headers={"X-Own": "1"})
    assert (answer.status, answer.media_type, answer.url) == (200, "text/plain", site.url("/echo"))
    sent = answer.body.decode()
    assert f"Host: localhost:{site.port}" in sent
    assert "Accept: application/json" in sent
    assert "X-Own: 1" in sent
    assert "Cookie" not in sent
    assert "User-Agent" not in sent


def test_post_sends_the_body_once(site: Site, fetch: BoundedFetch) -> None:
    answer = fetch.post(site.url("/form"), body=b"a=1", content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.body, answer.media_type) == (200, b"a=1", "application/x-www-form-urlencoded")


def test_an_error_status_is_an_answer(site: Site, fetch: BoundedFetch) -> None:
    assert fetch.get(site.url("/nowhere")).status == 404


def test_redirects_are_followed_a_few_times_for_get_and_never_for_post(site: Site, fetch: BoundedFetch) -> None:
    assert fetch.get(site.url("/moved")).url == site.url("/echo")
    assert code_of(lambda: fetch.get(site.url("/loop")), Refused) == "fetch.redirect"
    assert code_of(lambda: fetch.get(site.url("/moved"), max_redirects=0), Refused) == "fetch.redirect"
    assert fetch.get(site.url("/echo"), max_redirects=0).status == 200
    assert (
        code_of(lambda: fetch.post(site.url("/moved"), body=b"", content_type="text/plain"), Refused)
        == "fetch.redirect"
    )


def test_headers_do_not_follow_to_another_origin(site: Site, fetch: BoundedFetch) -> None:
    same = fetch.get(site.url("/to?/echo"), headers={"Authorization": "Bearer secret"})
    other = fetch.get(site.url("/to?" + site.url("/echo", "127.0.0.1")), headers={"Authorization": "Bearer secret"})
    assert b"Bearer secret" in same.body
    assert b"Bearer secret" not in other.body


def test_a_redirect_is_checked_like_a_first_address(site: Site, fetch: BoundedFetch) -> None:
    for target, code in (
        ("https://10.0.0.1/", "fetch.address"),
        ("http://93.184.216.34/", "fetch.scheme"),
        ("file:///etc/passwd", "fetch.scheme"),
        ("https://a:b@localhost/", "fetch.userinfo"),
        ("https://[bad/", "fetch.url"),
    ):
        assert code_of(lambda target=target: fetch.get(site.url("/to?" + target))) == code  # type: ignore[misc]


def test_too_large_is_refused_at_the_limit(site: Site, fetch: BoundedFetch) -> None:
    assert len(fetch.get(site.url("/big"), max_bytes=5000).body) == 5000
    assert code_of(lambda: fetch.get(site.url("/big"), max_bytes=4999), Refused) == "fetch.too_large"
    small = BoundedFetch(allow_loopback=True, ca_file=site.ca_file, max_bytes=100)
    assert code_of(lambda: small.get(site.url("/big"), max_bytes=5000), Refused) == "fetch.too_large"


def test_compressed_answers_are_refused(site: Site, fetch: BoundedFetch) -> None:
    assert code_of(lambda: fetch.get(site.url("/gzip")), Unsupported) == "fetch.encoding"


def test_dripping_bytes_do_not_outlast_the_deadline(site: Site) -> None:
    hasty = BoundedFetch(allow_loopback=True, ca_file=site.ca_file, timeout=0.35)
    assert code_of(lambda: hasty.get(site.url("/drip")), Unavailable) == "fetch.timeout"


def test_what_is_no_http_is_unavailable(site: Site, fetch: BoundedFetch) -> None:
    assert code_of(lambda: fetch.get(site.url("/nonsense")), Unavailable) == "fetch.protocol"


def test_an_unknown_authority_is_unavailable(site: Site) -> None:
    stranger = BoundedFetch(allow_loopback=True, ca_file=None)
    assert code_of(lambda: stranger.get(site.url("/echo")), Unavailable) == "fetch.tls"


def test_a_certificate_for_another_name_is_unavailable(site: Site) -> None:
    fetch = BoundedFetch(allow_loopback=True, ca_file=site.ca_file, resolver=lambda _h, _p: ["127.0.0.1"])
    assert fetch.get(site.url("/echo", "shop.test")).status == 200
    assert code_of(lambda: fetch.get(site.url("/echo", "other.test")), Unavailable) == "fetch.tls"


def test_a_closed_port_is_unavailable(fetch: BoundedFetch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert code_of(lambda: fetch.get(f"https://127.0.0.1:{port}/"), Unavailable) == "fetch.unreachable"


def test_the_next_address_is_tried(site: Site) -> None:
    fetch = BoundedFetch(allow_loopback=True, ca_file=site.ca_file, resolver=lambda _h, _p: ["127.9.9.9", "127.0.0.1"])
    assert fetch.get(site.url("/echo")).status == 200


def test_loopback_and_plain_http_are_only_for_those_who_say_so(site: Site, fetch: BoundedFetch) -> None:
    closed = BoundedFetch(allow_loopback=False, ca_file=site.ca_file)
    plain = f"http://localhost:{site.plain_port}/echo"
    assert fetch.get(plain).status == 200
    assert code_of(lambda: closed.get(site.url("/echo")), Refused) == "fetch.address"
    assert code_of(lambda: closed.get(plain), Refused) == "fetch.address"
    public = BoundedFetch(allow_loopback=True, ca_file=None, resolver=lambda _h, _p: ["93.184.216.34"])
    assert code_of(lambda: public.get("http://shop.test/"), Refused) == "fetch.scheme"


def test_the_name_is_resolved_once_and_that_address_is_used(site: Site) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    fetch = BoundedFetch(allow_loopback=True, ca_file=site.ca_file, resolver=rebinding)
    assert fetch.get(site.url("/echo")).status == 200
    assert asked == ["localhost"]
    assert code_of(lambda: fetch.get(site.url("/echo")), Refused) == "fetch.address"


def test_one_bad_address_among_good_ones_refuses_the_host() -> None:
    fetch = BoundedFetch(allow_loopback=True, ca_file=None, resolver=lambda _h, _p: ["93.184.216.34", "10.0.0.1"])
    assert code_of(lambda: fetch.get("https://shop.test/"), Refused) == "fetch.address"
    mixed = BoundedFetch(allow_loopback=True, ca_file=None, resolver=lambda _h, _p: ["93.184.216.34", "127.0.0.1"])
    assert code_of(lambda: mixed.get("https://shop.test/"), Refused) == "fetch.address"


def test_unknown_hosts_and_slow_name_services_are_unavailable() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError

    asleep = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        asleep.wait(2)
        return []

    nobody = BoundedFetch(allow_loopback=False, ca_file=None, resolver=unknown)
    assert code_of(lambda: nobody.get("https://shop.test/"), Unavailable) == "fetch.unknown_host"
    late = BoundedFetch(allow_loopback=False, ca_file=None, resolver=slow, timeout=0.05)
    assert code_of(lambda: late.get("https://shop.test/"), Unavailable) == "fetch.timeout"
    asleep.set()
    with pytest.raises(OSError, match="label"):
        addresses.system_addresses("a" * 64 + ".test", 443)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://[::1]/", "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://10.1.2.3/", "https://172.31.0.1/",
        "https://192.168.0.1/", "https://169.254.169.254/", "https://100.100.0.1/", "https://224.0.0.1/",
        "https://255.255.255.255/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[ff02::1]/",
        "https://[2002:7f00:1::]/", "https://[2001::1]/", "https://[::]/", "https://[::127.0.0.1]/",
        "https://198.18.0.1/", "https://240.0.0.1/", "https://[64:ff9b:1::1]/",
    ],
)  # fmt: skip
def test_special_addresses_are_never_asked(url: str) -> None:
    assert code_of(lambda: BoundedFetch(allow_loopback=False, ca_file=None).get(url), Refused) == "fetch.address"


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://a.test/", "fetch.scheme"),
        ("//a.test/", "fetch.scheme"),
        ("https:///path", "fetch.url"),
        ("https://a.test:0/", "fetch.url"),
        ("https://a.test:99999/", "fetch.url"),
        ("https://a.test/\n", "fetch.url"),
        ("https://a.test\\@b.test/", "fetch.url"),
        ("https://bücher.test/", "fetch.url"),
        ("https://[fe80::1%25eth0]/", "fetch.url"),
        ("https://user@a.test/", "fetch.userinfo"),
        ("https://a.test/" + "a" * 5000, "fetch.url"),
    ],
)
def test_what_is_no_url_to_fetch(url: str, code: str) -> None:
    assert code_of(lambda: BoundedFetch(allow_loopback=False, ca_file=None).get(url)) == code


def test_a_header_that_is_no_header_is_our_own_mistake(site: Site, fetch: BoundedFetch) -> None:
    assert code_of(lambda: fetch.get(site.url("/echo"), headers={"X": "a\r\nY: b"}), Malformed) == "fetch.request"


@given(st.text(max_size=60) | st.builds("https://{}".format, st.text(max_size=40)))
def test_url_reader_raises_only_ssi_error(url: str) -> None:
    try:
        _Target.read(url)
    except SsiError:
        return


@given(st.text(max_size=40))
def test_address_rule_reads_any_text(text: str) -> None:
    assert addresses.is_public(text) in (True, False)


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(addresses).failed == 0
    assert doctest.testmod(protocol).failed == 0
