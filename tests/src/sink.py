"""A mail server (STARTTLS and implicit TLS, both with a password; one without either) and a web server that take messages and
write them down, one JSON object a line. Arguments: folder with cert.pem and key.pem, file to write to."""

import http.server
import json
import pathlib
import socket
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
lock = threading.Lock()


def note(**what):
    with lock, out.open("a") as file:
        file.write(json.dumps(what) + "\n")


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"aramaki", b"smtp s3cret")
    # Not handled: the server itself says 535.
    return AuthResult(success=good, handled=False)


class Mail:
    def __init__(self, way):
        self.way = way

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        tls = server.transport.get_extra_info("sslcontext") is not None
        note(kind="mail", way=self.way, tls=tls, to=envelope.rcpt_tos, text=envelope.content.decode())
        return "250 taken"


class Web(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Web.asked += 1
        # The first one is told to come back.
        code = 503 if Web.asked == 1 else 403 if self.path == "/refused" else 200
        note(kind="web", path=self.path, code=code, token=self.headers.get("Authorization"),
             key=self.headers.get("Idempotency-Key"), body=json.loads(body))
        self.send_response(code)
        if code == 503:
            self.send_header("Retry-After", "3")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def tls():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def port(controller):
    return controller.server.sockets[0].getsockname()[1]


common = dict(hostname="127.0.0.1", port=0, authenticator=check, auth_required=True)
# The controller looks whether its port answers, and does not know one that it chose itself. A machine that
# builds beside it is slow.
class Quiet(Controller):
    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, ready_timeout=60, **settings)

    def _trigger_server(self):
        socket.create_connection((self.hostname, port(self)), 30).close()


starttls = Quiet(Mail("starttls"), tls_context=tls(), require_starttls=True, **common)
implicit = Quiet(Mail("implicit"), ssl_context=tls(), auth_require_tls=False, **common)
plain = Quiet(Mail("plain"), hostname="127.0.0.1", port=0)
starttls.start()
implicit.start()
plain.start()
web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
threading.Thread(target=web.serve_forever, daemon=True).start()
note(kind="ports", starttls=port(starttls), implicit=port(implicit), plain=port(plain),
     web=web.server_address[1])
threading.Event().wait()
