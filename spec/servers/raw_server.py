"""Answers that no web server would give, over TLS. For specs: python3 spec/servers/raw_server.py CERTIFICATE KEY LOG

Prints one line: the port, and a second port where nobody ever takes a connection off the queue. The path of a request says how it is
answered; each request's path goes to LOG. Ends when its standard input does.
"""
import socket
import ssl
import sys
import threading
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
CELL = b'{"rawValue":"%d","label":"%d","title":"t"}'
COLUMNS = b'[{"elementName":"sum_a","label":"a","title":"a"}]'


def report(rows):
    cells = b",".join(b"[" + CELL % (i, i) + b"]" for i in range(1, rows + 1))
    return (b'{"report":{"time_details":{"timezone":"UTC"},"table":{"inbound":{"columns":' + COLUMNS + b',"totalRowCount":"%d","rows":['
            % rows + cells + b"]}}}}")


def length(body, n):
    return HEAD + b"Content-Length: %d\r\n\r\n" % n + body


def chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body)


WHOLE = report(20)
CUT = WHOLE[:600]
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS = {
    "whole_without_length": HEAD + b"\r\n" + WHOLE,
    "cut_without_length": HEAD + b"\r\n" + CUT,
    "length_short": length(WHOLE, 600),
    "length_long": length(WHOLE, len(WHOLE) + 50),
    "chunk_bad": CHUNKED + chunk(CUT) + b"zz\r\nmore\r\n",
    "chunk_cut": CHUNKED + b"ffff\r\n" + CUT,
    "garbage": b"220 mail.example.net ESMTP\r\n",
    "header_cut": b"HTTP/1.1 200 OK\r\nContent-Type: appl",
    "header_huge": HEAD + b"X-Long: " + b"x" * 100000 + b"\r\n\r\n" + WHOLE,
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" + length(WHOLE, len(WHOLE)),
    "two_lengths": HEAD + b"Content-Length: 600\r\nContent-Length: 700\r\n\r\n" + CUT,
    "encoding_unknown": HEAD + b"Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd",
    "redirect_nowhere": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    size = 0
    for line in head.split(b"\r\n")[1:]:
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            size = int(value)
    while len(body) < size:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return head


def slowly(connection, data):
    for i in range(len(data)):
        connection.sendall(data[i:i + 1])
        time.sleep(0.05)


def serve(plain, context, log):
    try:
        plain.settimeout(20)
        connection = context.wrap_socket(plain, server_side=True)
        head = read_request(connection)
        if not head:
            return
        name = head.split(b" ")[1].strip(b"/").decode()
        log.write(name + "\n")
        log.flush()
        if name == "header_slow":
            slowly(connection, length(WHOLE, len(WHOLE)))
        elif name == "nothing":
            time.sleep(5)
        else:
            connection.sendall(ANSWERS[name])
        plain = connection.unwrap() if name in ("whole_without_length", "cut_without_length") else connection
    except (OSError, KeyError, IndexError):
        pass
    finally:
        plain.close()


def listen():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def accept(listener, context, log):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, context, log), daemon=True).start()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    listener, silent = listen(), listen()
    with open(sys.argv[3], "a", encoding="ascii") as log:
        threading.Thread(target=accept, args=(listener, context, log), daemon=True).start()
        print(listener.getsockname()[1], silent.getsockname()[1], flush=True)
        sys.stdin.read()


main()
