"""The appliance behind a server that leaves something on its connections when it has answered. For specs:

    python3 spec/servers/kept_server.py CERTIFICATE KEY LOG APPLIANCE-PORT APPLIANCE-CA

Prints one line: the ports for http, TLS 1.2 and TLS 1.3. Requests go on to the appliance whole, whatever their path; the path says what is
left, and how: /WHAT/HOW/anything. WHAT is one of LEFT and ENDS below; HOW is

    length, chunked   in one write with the answer, which has a length, or comes in chunks
    apart             in a TLS record of its own, in one segment with the answer's end
    trimmed           in one write with the answer's last part, the first came before
    later             20 ms behind the answer
    crossing          nothing is left, but the connection's second request meets it: it is not read

LOG gets a line for each request: its path and the number of its connection; "late" before it when it came where something had been left.
Ends when its standard input does.
"""
import ctypes
import http.client
import itertools
import queue
import socket
import ssl
import sys
import time

import common

ROW = b'[{"rawValue":"1"},{"rawValue":"10.9.9.9"},{"rawValue":"9"},{"rawValue":"999"}]'
REPORT = (b'{"report":{"table":{"inbound":{"columns":[{"elementName":"sourceipaddress"},{"elementName":"sum_packetdeltacount"},'
          b'{"elementName":"sum_octetdeltacount"}],"totalRowCount":"1","rows":[' + ROW + b']}}},"results":[{"id":"99"}]}')
SECOND = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(REPORT) + REPORT
MIDDLE = len(SECOND) - len(REPORT) // 2
LEFT = {
    "nothing": b"",
    "second": SECOND,
    "half": SECOND[:MIDDLE],
    "head": SECOND[:30],
    "timeout": b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n",
    "crlf": b"\r\n",
    "byte": b"\0",
}
REST = {"half": SECOND[MIDDLE:], "head": SECOND[30:]}
ENDS = ("alert", "close_notify", "fin", "closed", "reset")
GARBAGE = b"\x17\x03\x03\x00\x40" + b"\x55" * 64
PROBE = b'{"err":"nothing was asked"}'


class Plain:
    """A connection's bytes as they are."""

    def __init__(self, connection):
        self.connection = connection

    def read(self):
        return self.connection.recv(65536)

    def pack(self, data):
        return data


class Tls:
    """TLS in memory: what is sent, and in which segment, is decided here."""

    def __init__(self, connection, context):
        self.connection, self.inward, self.outward = connection, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.inward, self.outward, server_side=True)
        self.until(self.tls.do_handshake)

    def until(self, action):
        while True:
            try:
                result = action()
                self.connection.sendall(self.outward.read())
                return result
            except ssl.SSLWantReadError:
                self.connection.sendall(self.outward.read())
                data = self.connection.recv(65536)
                if not data:
                    raise OSError("ended") from None
                self.inward.write(data)

    def read(self):
        return self.until(lambda: self.tls.read(65536))

    def pack(self, data):
        if data:
            self.tls.write(data)
        return self.outward.read()

    def provoked(self, action):
        try:
            action()
        except ssl.SSLError:
            pass
        return self.outward.read()

    def alert(self):
        self.inward.write(GARBAGE)
        return self.provoked(lambda: self.tls.read(1))

    def close_notify(self):
        return self.provoked(self.tls.unwrap)

    def ticket(self):
        """Another session ticket (TLS 1.3). Python has no call for it: the SSL is the second pointer of its object."""
        library = ctypes.CDLL("libssl.so.3")
        handle = ctypes.c_void_p.from_address(id(self.tls._sslobj) + 24)
        if library.SSL_new_session_ticket(handle) != 1 or library.SSL_do_handshake(handle) != 1:
            raise OSError("no ticket")
        return self.outward.read()


class Appliance:
    """Where the answers come from, over connections that are kept."""

    def __init__(self, port, ca):
        self.port, self.context, self.idle = port, ssl.create_default_context(cafile=ca), queue.SimpleQueue()

    def ask(self, query, head, body):
        try:
            connection = self.idle.get_nowait()
        except queue.Empty:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)
        headers = {name: value for name, value in head if name in ("content-type", "content-length")}
        connection.request("POST" if body else "GET", "/fcgi/scrut_fcgi.fcgi?" + query, body, headers)
        answer = connection.getresponse()
        status, kind, data = answer.status, answer.getheader("Content-Type", "text/plain"), answer.read()
        self.idle.put(connection)
        return status, kind.encode(), data


def framed(status, kind, body, how):
    head = b"HTTP/1.1 %d X\r\nContent-Type: %s\r\n" % (status, kind)
    if how != "chunked":
        return head + b"Content-Length: %d\r\n\r\n" % len(body), body
    middle = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:middle], body[middle:]) if part)
    return head + b"Transfer-Encoding: chunked\r\n\r\n", chunks + b"0\r\n\r\n"


def end_of(stream, what):
    if what in ("alert", "close_notify"):
        return getattr(stream, what)()
    return b""


def send(connection, data, what):
    """In one segment with what ends the connection, where something does."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    connection.sendall(data)
    if what in ("fin", "closed"):
        connection.shutdown(socket.SHUT_WR)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def answer(stream, head, body, what, how):
    """Sends the answer, and leaves what is to be left."""
    connection, left = stream.connection, LEFT.get(what, b"")
    if how == "trimmed":
        connection.sendall(stream.pack(head + body[:20]))
        time.sleep(0.005)
        head, body = b"", body[20:]
    if how == "later" or (what == "reset" or what == "closed"):
        connection.sendall(stream.pack(head + body))
        time.sleep(0.02)
        head = body = b""
    if what == "ticket":
        connection.sendall(stream.pack(head + body) + stream.ticket())
    elif how == "apart":
        send(connection, stream.pack(head + body) + stream.pack(left) + end_of(stream, what), what)
    else:
        send(connection, stream.pack(head + body + left) + end_of(stream, what), what)
    if what in REST:
        time.sleep(0.02)
        connection.sendall(stream.pack(REST[what]))
    if what == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return what not in ("closed", "reset")


def cross(stream, what):
    """The end of an idle connection, or what else had been under way when the request was sent."""
    connection = stream.connection
    connection.recv(100, socket.MSG_PEEK)
    send(connection, stream.pack(LEFT.get(what, b"")) + end_of(stream, what), what)
    if what == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    else:
        time.sleep(0.2)


def drained(connection):
    """Whether more than TLS's goodbye comes on a connection that has been ended."""
    size, data = 0, b"x"
    while data:
        data = connection.recv(65536)
        size += len(data)
    return size > 100


def serve(connection, context, number, appliance, log):
    connection.settimeout(30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream, before = (Tls(connection, context) if context else Plain(connection)), ""
    while True:
        request = common.read_request(stream.read)
        if not request:
            return
        _, target, head, body = request
        path, _, query = target.partition("?")
        asked = query or b"=" in body
        what, how = path.split("/")[1:3]
        if not (query or body):  # a client looks whether http leads to https
            what, how = "nothing", "length"
        log(f"{before}{path} {number}")
        said = appliance.ask(query, head, body) if asked else (200, b"application/json", PROBE)
        crossing = how == "crossing"
        if not answer(stream, *framed(*said, how), "nothing" if crossing else what, how):
            return
        if what in ENDS and not crossing:
            if drained(connection):
                log(f"late {path} {number}")
            return
        before = "" if what in ("nothing", "ticket") else "late "
        if crossing:
            cross(stream, what)
            return


def context_of(version):
    context = common.tls(sys.argv[1], sys.argv[2])
    context.minimum_version = context.maximum_version = version
    return context


def main():
    log, appliance, numbers = common.log_to(sys.argv[3]), Appliance(int(sys.argv[4]), sys.argv[5]), itertools.count(1)

    def server(context):
        return common.listen(lambda connection: serve(connection, context, next(numbers), appliance, log))

    common.say_and_stay(server(None), server(context_of(ssl.TLSVersion.TLSv1_2)), server(context_of(ssl.TLSVersion.TLSv1_3)))


main()
