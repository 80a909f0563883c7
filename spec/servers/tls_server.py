"""TLS servers with certificates that are right or wrong in one way each. For specs: python3 spec/servers/tls_server.py DIRECTORY

DIRECTORY holds NAME.pem and NAME.key for each server, and ca.pem. Prints one line, "NAME PORT NAME PORT ..."; two more have the certificate "good": "old"
speaks TLS 1.0 only, "mutual" wants a client certificate by ca.pem. What each connection sends behind its handshake is counted in
DIRECTORY/received, a line a connection: name and bytes. Ends when its standard input does.
"""
import socket
import ssl
import sys

import common

NAMES = ["good", "expired", "future", "elsewhere", "selfsigned", "stranger", "weak", "hostile", "old", "mutual", "whole", "missing", "midover",
         "midearly", "strangeroot", "oldroot"]
ANSWER = b'{"report":{"table":{"inbound":{"columns":[],"rows":[],"totalRowCount":"0"}}}}'


def context_of(name, directory):
    certificate = "good" if name in ("old", "mutual") else name
    context = common.tls(f"{directory}/{certificate}.pem", f"{directory}/{certificate}.key", "ALL:@SECLEVEL=0")
    if name == "old":
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    if name == "mutual":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(f"{directory}/ca.pem")
    return context


def drain(connection):
    """Closing with bytes unread would be a reset, and lose the alert that was sent."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_WR)
        while socket.socket.recv(connection, 65536):
            pass
    except OSError:
        pass


def serve(name, plain, context, log):
    received = b""
    plain.settimeout(10)
    connection = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
    try:
        connection.do_handshake()
        while b"data_requested" not in received:
            more = connection.recv(65536)
            if not more:
                break
            received += more
        if received:
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
    except OSError:
        drain(connection)
    finally:
        log(f"{name} {len(received)}")
        connection.close()


def server(name, directory, log):
    context = context_of(name, directory)
    return common.listen(lambda connection: serve(name, connection, context, log))


def main():
    directory = sys.argv[1]
    log = common.log_to(f"{directory}/received")
    common.say_and_stay(*(word for name in NAMES for word in (name, server(name, directory, log))))


main()
