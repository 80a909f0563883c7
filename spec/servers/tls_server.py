"""TLS servers with certificates that are right or wrong in one way each. For specs: python3 spec/servers/tls_server.py DIRECTORY

DIRECTORY holds NAME.pem and NAME.key for each server, and ca.pem. Prints "NAME PORT" for each; two more have the certificate "good": "old"
speaks TLS 1.0 only, "mutual" wants a client certificate by ca.pem. What each connection sends behind its handshake is counted in
DIRECTORY/received, a line a connection: name and bytes. Ends when its standard input does.
"""
import socket
import ssl
import sys
import threading

NAMES = ["good", "expired", "future", "elsewhere", "selfsigned", "stranger", "weak", "hostile", "old", "mutual", "whole", "missing", "midover",
         "midearly", "strangeroot", "oldroot"]
ANSWER = b'{"report":{"table":{"inbound":{"columns":[],"rows":[],"totalRowCount":"0"}}}}'


def context_of(name, directory):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    certificate = "good" if name in ("old", "mutual") else name
    if name == "old":
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    if name == "mutual":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(f"{directory}/ca.pem")
    context.load_cert_chain(f"{directory}/{certificate}.pem", f"{directory}/{certificate}.key")
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
        log.write(f"{name} {len(received)}\n")
        log.flush()
        connection.close()


def accept(name, listener, context, log):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(name, connection, context, log), daemon=True).start()


def main():
    directory = sys.argv[1]
    with open(f"{directory}/received", "a", encoding="ascii") as log:
        for name in NAMES:
            listener = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=accept, args=(name, listener, context_of(name, directory), log), daemon=True).start()
            print(name, listener.getsockname()[1], flush=True)
        print("ready", flush=True)
        sys.stdin.read()


main()
