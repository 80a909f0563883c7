"""A TLS server that takes every request and answers none. For specs: python3 spec/servers/stall_server.py CERTIFICATE KEY

Prints its port and its process. Ends when its standard input does.
"""
import asyncio
import os
import sys

import common


async def stall(reader, writer):
    try:
        while await reader.read(65536):
            pass
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    context = common.tls(sys.argv[1], sys.argv[2])
    server = await asyncio.start_server(stall, "127.0.0.1", 0, ssl=context, backlog=2048)
    print(server.sockets[0].getsockname()[1], os.getpid(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
