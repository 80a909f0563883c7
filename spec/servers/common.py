"""What the specs' servers share: taking connections, reading a request, TLS, a log, and a line of ports on standard output."""
import socket
import ssl
import sys
import threading


def read_request(read):
    """A whole request out of read(): method, target, headers as (name in small letters, value), body. None where nobody asks."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = read()
        if not more:
            return None
        data += more
    text, body = data.split(b"\r\n\r\n", 1)
    lines = text.decode("latin-1").split("\r\n")
    head = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines[1:])]
    size = int(dict(head).get("content-length", 0))
    while len(body) < size:
        more = read()
        if not more:
            raise OSError("the request ended early")
        body += more
    method, target = lines[0].split(" ")[:2]
    return method, target, head, body


def tls(certificate, key, ciphers=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
    context.load_cert_chain(certificate, key)
    return context


def guarded(serve, connection):
    """A client that breaks off, or asks for what is not there, ends its own connection and nothing else."""
    try:
        serve(connection)
    except (OSError, ValueError, LookupError):
        pass
    finally:
        connection.close()


def accept(listener, serve):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=guarded, args=(serve, connection), daemon=True).start()


def listen(serve, listener=None):
    """Calls serve(connection) in a thread for each connection, on a new port unless a listener is given. Gives the port."""
    listener = listener or socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=accept, args=(listener, serve), daemon=True).start()
    return listener.getsockname()[1]


def log_to(path):
    """A function that appends a line to a file, at once."""
    file, lock = open(path, "a", encoding="utf-8"), threading.Lock()

    def log(line):
        with lock:
            file.write(line + "\n")
            file.flush()
    return log


def say_and_stay(*words):
    """Prints a line, and comes back when standard input ends."""
    print(*words, flush=True)
    sys.stdin.read()
