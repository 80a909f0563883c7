"""Answers that no web server would give, over TLS. For specs: python3 spec/servers/raw_server.py CERTIFICATE KEY LOG

Prints one line: the port, and a second port where nobody ever takes a connection off the queue. The path of a request says how it is
answered; each request's path goes to LOG. Ends when its standard input does.
"""
import socket
import sys
import time

import common

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


def slowly(connection, data):
    for i in range(len(data)):
        connection.sendall(data[i:i + 1])
        time.sleep(0.05)


def serve(plain, context, log):
    plain.settimeout(20)
    with context.wrap_socket(plain, server_side=True) as connection:
        request = common.read_request(lambda: connection.recv(65536))
        if not request:
            return
        name = request[1].strip("/")
        log(name)
        if name == "header_slow":
            slowly(connection, length(WHOLE, len(WHOLE)))
        elif name == "nothing":
            time.sleep(5)
        else:
            connection.sendall(ANSWERS[name])
        if name in ("whole_without_length", "cut_without_length"):
            connection.unwrap()


def main():
    context, log = common.tls(sys.argv[1], sys.argv[2]), common.log_to(sys.argv[3])
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = common.listen(lambda connection: serve(connection, context, log))
    common.say_and_stay(port, silent.getsockname()[1])


main()
