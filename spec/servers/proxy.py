"""An HTTP proxy (CONNECT), a SOCKS5 proxy and a relay from a unix socket. For specs: python3 spec/servers/proxy.py LOG SOCKET TARGET-PORT

Prints one line: the ports of the HTTP proxy, of one that wants user:secret, and of the SOCKS5 proxy. LOG gets a line for each request to a
proxy. The unix socket leads to TARGET-PORT on 127.0.0.1. Every host is taken to be 127.0.0.1. Ends when its standard input does.

LOG.mood has a word for each request to come, and what is not "ok" is refused: an HTTP status; for SOCKS a reply's code, or "none" (no way to
log in is good enough) or "wrong" (the password is).
"""
import base64
import socket
import struct
import sys
import threading

import common

WANTED = base64.b64encode(b"user:secret")


mood_lock = threading.Lock()


def mood():
    """The next word of LOG.mood."""
    path = sys.argv[1] + ".mood"
    with mood_lock:
        try:
            with open(path, encoding="ascii") as file:
                words = file.read().split()
        except OSError:
            return "ok"
        with open(path, "w", encoding="ascii") as file:
            file.write(" ".join(words[1:]))
    return words[0] if words else "ok"


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def join(client, port):
    server = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("ended")
        data += more
    return data


def refuse(client, status):
    client.sendall(f"HTTP/1.1 {status} No\r\nLocation: http://login.example/\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno".encode())


def forward(client, head, target):
    """A request over plain http: one a connection."""
    _, _, authority, path = target.split("/", 3)
    line, rest = head.split(b"\r\n", 1)
    server = socket.create_connection(("127.0.0.1", int(authority.rsplit(":", 1)[1])))
    rest = b"\r\n".join(one for one in rest.split(b"\r\n") if not one.lower().startswith((b"proxy-", b"connection")))
    server.sendall(line.split(b" ")[0] + b" /" + path.encode() + b" HTTP/1.1\r\nConnection: close\r\n" + rest)
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)


def http(client, log, closed=False):
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(1)
        if not more:
            return
        head += more
    lines = head.decode("latin-1").split("\r\n")
    log(lines[0].rsplit(" ", 1)[0])
    if closed and b"Proxy-Authorization: Basic " + WANTED not in head:
        client.sendall(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
        return
    word = mood()
    if word != "ok":
        refuse(client, word)
        return
    target = lines[0].split(" ")[1]
    if not lines[0].startswith("CONNECT"):
        forward(client, head, target)
        return
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    join(client, int(target.rsplit(":", 1)[1]))


def socks(client, log):
    _, count = exactly(client, 2)
    methods = exactly(client, count)
    word = mood()
    if word == "none":
        log("SOCKS refused") # before the answer, as the client may look at once
        client.sendall(b"\5\xff")
        return
    if word == "wrong" and 2 in methods:
        client.sendall(b"\5\2")
        exactly(client, exactly(client, 2)[1])
        exactly(client, exactly(client, 1)[0])
        log("SOCKS wrong")
        client.sendall(b"\1\1")
        return
    client.sendall(b"\5\0")
    _, _, _, kind = exactly(client, 4)
    if kind == 1:
        host = socket.inet_ntoa(exactly(client, 4))
    elif kind == 3:
        host = exactly(client, exactly(client, 1)[0]).decode()
    else:
        host = socket.inet_ntop(socket.AF_INET6, exactly(client, 16))
    port = struct.unpack(">H", exactly(client, 2))[0]
    log(f"SOCKS {host}:{port}")
    code = int(word) if word.isdigit() else 0
    client.sendall(bytes([5, code]) + b"\0\1\0\0\0\0\0\0")
    if code == 0:
        join(client, port)


def main():
    log, unix, target = common.log_to(sys.argv[1]), socket.socket(socket.AF_UNIX), int(sys.argv[3])
    unix.bind(sys.argv[2])
    unix.listen(16)
    common.listen(lambda client: join(client, target), unix)
    servers = lambda client: http(client, log), lambda client: http(client, log, True), lambda client: socks(client, log)
    common.say_and_stay(*map(common.listen, servers))


main()
