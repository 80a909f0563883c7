"""Answers made to hurt, streamed. For specs: python3 spec/servers/bounds_server.py serve [TIMES], or: body CASE [TIMES]

serve: prints its port, and answers over HTTP whatever is asked for: /CASE and a body of its fields gets that case's answer, a GET without
fields a short one. Ends when its standard input does. body: writes the case's JSON to standard output. TIMES makes the large ones so many
times larger. Sizes are in bytes of JSON; compression is zlib's, and framing is written here.
"""
import os
import socket
import sys
import time
import zlib

import common

MEGABYTE = 1 << 20
HEAD = b'{"report":{"graph":{},"table":{"inbound":{"columns":[{"elementName":"a"},{"elementName":"b"}],"rows":['
ROW = b'[{"rawValue":"1"},{"rawValue":"2"}]'
TAIL = b'],"totalRowCount":"1"}}}}'
REST = ROW + TAIL
TAIL_OF = b'],"totalRowCount":"%d"}}}}'
GIANT = 20  # megabytes
TIMES = 1


def blocks(piece, megabytes):
    """How many pieces a block has, and how many blocks so many megabytes."""
    per = max(1, MEGABYTE // len(piece))
    return per, max(1, int(TIMES * megabytes * MEGABYTE // (per * len(piece))))


def much(piece, megabytes=GIANT):
    """A piece again and again, up to so many megabytes."""
    per, count = blocks(piece, megabytes)
    block = piece * per
    for _ in range(count):
        yield block


def counted(write, count):
    """What write(i) gives for i from 1, in blocks."""
    for i in range(1, count + 1, 4096):
        yield b"".join(write(j) for j in range(i, min(i + 4096, count + 1)))


def around(before, middle, after):
    yield before
    yield from middle
    yield after


def table(*members):
    return around(b'{"report":{"graph":{},"table":{"inbound":{', members[0], b'"columns":[{"elementName":"a"},{"elementName":"b"}],"rows":[' + REST)


def facts(before, middle, after):
    """A member of the report, before its table."""
    return around(b'{"report":{' + before, middle, after + b"," + HEAD[len(b'{"report":{'):] + REST)


def graph(before, middle, after):
    return around(b'{"report":{"graph":{' + before, middle, after + b'},"table":{"inbound":' + HEAD.split(b'"inbound":')[1] + REST)


def rows(row, megabytes=GIANT, head=HEAD):
    """A row again and again."""
    per, count = blocks(row + b",", megabytes)
    return around(head, much(row + b",", megabytes), ROW + TAIL_OF % (per * count + 1))


def rows_of(write, count):
    return around(HEAD, counted(lambda i: write(i) + b",", count), ROW + TAIL_OF % (count + 1))


# Name to the answer's JSON, as pieces.
BODIES = {
    "small": lambda: [HEAD + REST],
    # rows
    "rows_without_cells": lambda: rows(b"[]"),
    "rows_of_empty_cells": lambda: rows(b"[{},{}]"),
    "rows_that_tie": lambda: rows(ROW, GIANT, HEAD.replace(b'"b"', b'"b","defaultSort":"DESC"')),
    "rows_differ_and_tie": lambda: around(HEAD.replace(b'"b"', b'"b","defaultSort":"DESC"'), counted(
        lambda i: b'[{"rawValue":"%d"},{"rawValue":"2"}],' % i, 600000 * TIMES), b'[{"rawValue":"0"},{"rawValue":"2"}]' + TAIL_OF % (600000 * TIMES + 1)),
    "pages_without_facts": lambda: around(HEAD, much(ROW + b",", 30), ROW + b"]}}}}"),
    "rows_alike": lambda: rows_of(lambda i: b'[{"rawValue":"%d"},{"rawValue":"%d"}]' % (i % 100, i), 300000 * TIMES),
    "rows_before_columns": lambda: around(
        b'{"report":{"graph":{},"table":{"inbound":{"rows":[', much(ROW + b",", 70), ROW + b'],"columns":[{"elementName":"a"},{"elementName":"b"}]}}}}'),
    "outbound_rows_first": lambda: around(
        b'{"report":{"graph":{},"table":{"outbound":{"columns":[{"elementName":"a"},{"elementName":"b"}],"rows":[', much(ROW + b","),
        ROW + b"]}," + HEAD.split(b'"table":{')[1] + REST),
    "cells_by_the_million": lambda: around(HEAD + b"[", much(b"{},"), b"{}]" + TAIL),
    "members_by_the_million": lambda: around(HEAD + b'[{"rawValue":"1",', much(b'"x":[{}],'), b'"y":0},{"rawValue":"2"}]' + TAIL),
    "members_twice": lambda: around(HEAD + b"[{", much(b'"rawValue":"1",'), b'"rawValue":"1"},{"rawValue":"2"}]' + TAIL),
    "long_rows": lambda: rows(b'[{"rawValue":"1","label":"' + b"l" * 60000 + b'"},{"rawValue":"2"}]'),
    "groups_of_long_names": lambda: rows_of(lambda i: b'[{"rawValue":"%d' % i + b"n" * 4000 + b'"},{"rawValue":"2"}]', 20000),
    # one long thing
    "string_wanted": lambda: around(HEAD + b'[{"rawValue":"', much(b"x"), b'"},{"rawValue":"2"}]' + TAIL),
    "string_of_escapes": lambda: around(HEAD + b'[{"rawValue":"', much(b"\\u20ac\\n"), b'"},{"rawValue":"2"}]' + TAIL),
    "string_unwanted": lambda: around(HEAD + b'[{"rawValue":"1","title":"', much(b"x"), b'"},{"rawValue":"2"}]' + TAIL),
    "number_wanted": lambda: around(HEAD + b'[{"rawValue":1', much(b"1234567890"), b'},{"rawValue":"2"}]' + TAIL),
    "number_unwanted": lambda: around(HEAD + b'[{"rawValue":"1","x":-0.', much(b"1234567890"), b'e-7},{"rawValue":"2"}]' + TAIL),
    "member_name": lambda: around(HEAD + b'[{"', much(b"n"), b'":0,"rawValue":"1"},{"rawValue":"2"}]' + TAIL),
    "key_of_the_answer": lambda: around(b'{"', much(b"n"), b'":0,' + HEAD[1:] + REST),
    "blanks": lambda: around(HEAD, much(b" \n\t "), REST),
    "deep": lambda: around(HEAD + b'[{"x":', much(b"["), b""),
    # what stands beside the rows
    "err_text": lambda: around(b'{"err":"', much(b"no "), b'"}'),
    "err_list": lambda: around(b'{"err":[', much(b"[],"), b"0]}"),
    "err_again": lambda: around(b"{", much(b'"err":"no","details":[1],'), b'"msg":"no"}'),
    "report_error": lambda: facts(b'"error":"', much(b"no "), b'"'),
    "time_details": lambda: facts(b'"time_details":{"timezone":"', much(b"UTC "), b'"}'),
    "request_id": lambda: facts(b'"request_id":"', much(b"1"), b'"'),
    "granularity": lambda: facts(b'"dataGranularity":{"used":[', much(b"5,"), b"5]}"),
    "exporters": lambda: facts(b'"exporter_details":{', counted(lambda i: b'"%d":{},' % i, 1000000), b'"x":{}}'),
    "exporters_few": lambda: facts(b'"exporter_details":{', counted(
        lambda i: b'"10.%d.%d.%d":{"exporter_hex":"0A%06X","flow_count":"7"},' % (i >> 16, i >> 8 & 255, i & 255, i), 10000), b'"x":{}}'),
    "total": lambda: table(around(b'"totalRowCount":1', much(b"0"), b",")),
    "footer": lambda: table(around(b'"footer":[[', much(b"{},", 30), b"{}]],")),
    "footer_below_its_length": lambda: table(around(b'"footer":[[', much(b"{},", 3), b"{}]],")),
    "columns": lambda: around(b'{"report":{"graph":{},"table":{"inbound":{"columns":[', much(b"{},", 3), b'{}],"rows":[[]]}}}}'),
    "columns_of_long_names": lambda: around(b'{"report":{"graph":{},"table":{"inbound":{"columns":[{"elementName":"', much(b"n"), b'"}],"rows":[[{}]]}}}}'),
    "columns_of_one_name": lambda: around(
        b'{"report":{"graph":{},"table":{"inbound":{"columns":[', [b'{"elementName":"a"},{"elementName":"b"}' + b',{"elementName":"same"}' * 9998],
        b'],"rows":[[' + b",".join([b'{"rawValue":"1"}'] * 10000) + b"]]}}}}"),
    # graphs
    "series": lambda: graph(b'"timeseries":{"inbound":[', much(b"[],"), b"[]]}"),
    "series_below_its_length": lambda: graph(b'"timeseries":{"inbound":[', much(b"[],", 1), b"[]]}"),
    "points": lambda: graph(b'"timeseries":{"inbound":[[', counted(lambda i: b'["%d","%d"],' % (i * 300, i), 3000000), b"[1000000000,1]]]}"),
    "pie": lambda: graph(b'"pie":{"inbound":[', much(b'{"label":"a"},'), b"{}]}"),
    "pie_members": lambda: graph(b'"pie":{"inbound":[{', counted(lambda i: b'"k%d":"%d",' % (i, i), 1000000), b'"label":"a"}]}'),
    # lists of plain calls
    "items": lambda: around(b'{"data":[', counted(lambda i: b'{"id":%d,"name":"n%d"},' % (i, i), 2000000), b"{}]}"),
    "too_long": lambda: around(b"[", much(b"[],", 70), b"0]"),
    "tables": lambda: around(b"[", much(b"[],", 60), b"0]"),
    "objects": lambda: around(b"[", much(b'{"a":1},', 60), b"0]"),
    "numbers": lambda: around(b"[", much(b"1,", 60), b"0]"),
    "numbers_below": lambda: around(b"[", much(b"1,", 1.9), b"0]"),
    "keys": lambda: around(b"{", counted(lambda i: b'"k%d":0,' % i, 3000000), b'"x":0}'),
    "one_string": lambda: around(b'"', much(b"x", 60), b'"'),
    "one_string_of_escapes": lambda: around(b'"', much(b"\\n", 60), b'"'),
    "half_a_string": lambda: around(b'"', much(b"x", 25), b'"'),
    "wrong_at_its_end": lambda: around(b"[", much(b"[1],", 10), b"nul]"),
    "deep_then_long": lambda: around(b"[" * 130 + b'"\\n', much(b"x", 60), b'"' + b"]" * 130),
}


def squeezed(pieces, wbits):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, wbits)
    for piece in pieces:
        out = squeeze.compress(piece)
        if out:
            yield out
    yield squeeze.flush()


def gzip(pieces):
    return squeezed(pieces, 31)


def header(*lines, status=b"200 OK"):
    return b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nConnection: close\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def chunks(pieces, size=None, extension=b""):
    for piece in filter(None, pieces):
        step = size or len(piece)
        block = []
        for at in range(0, len(piece), step):
            part = piece[at:at + step]
            block.append(b"%x%s\r\n%s\r\n" % (len(part), extension, part))
        yield b"".join(block)
    yield b"0\r\n"


def forever(piece):
    """A piece without end: until the client goes."""
    block = piece * max(1, 65536 // len(piece))
    while True:
        yield block


EMPTY_BLOCK = b"\0\0\0\xff\xff"
GZIP_HEAD = b"\x1f\x8b\x08%c\0\0\0\0\0\3"
GZIP_NAME, GZIP_COMMENT, GZIP_EXTRA = 8, 16, 4
EMPTY_MEMBER = zlib.compressobj(9, zlib.DEFLATED, 31).flush()
# Its header's extra field is as long as one can be.
LONG_EMPTY_MEMBER = GZIP_HEAD % GZIP_EXTRA + b"\xff\xff" + b"x" * 65535 + EMPTY_MEMBER[10:]


def each_byte_flushed(data):
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    for i in range(len(data)):
        yield squeeze.compress(data[i:i + 1]) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    yield squeeze.flush()


def hollow(first, piece, coding=b"gzip"):
    """Compressed bytes that hold no byte of an answer, without end."""
    return lambda: answer(header(CHUNKED, b"Content-Encoding: " + coding), around(first, forever(piece), b""))


def slowly(pieces):
    for piece in pieces:
        yield piece
        time.sleep(0.02)


CHUNKED = b"Transfer-Encoding: chunked"
GZIP = b"Content-Encoding: gzip"


def answer(head, pieces, trailer=(b"\r\n",)):
    return around(head, chunks(pieces), b"".join(trailer))


def transfer_coding(*lines, pieces=None):
    return lambda: answer(header(*lines), pieces() if pieces else gzip(BODIES["blanks"]()))


def small():
    return [HEAD + REST]


# Name to the whole answer, where it is not its JSON in gzip and chunks.
ANSWERS = {
    "bomb_deflate": lambda: answer(header(CHUNKED, b"Content-Encoding: deflate"), squeezed(BODIES["blanks"](), 15)),
    "bomb_bare_deflate": lambda: answer(header(CHUNKED, b"Content-Encoding: Deflate"), squeezed(BODIES["blanks"](), -15)),
    "bomb_x_gzip": lambda: answer(header(CHUNKED, b"content-encoding:X-GZip"), gzip(BODIES["blanks"]())),
    "bomb_in_one_member_each": lambda: answer(header(CHUNKED, GZIP), around(
        b"".join(gzip([HEAD])), much(b"".join(gzip([b" " * 1000])), 3), b"".join(gzip([REST])))),
    "te_gzip": transfer_coding(b"Transfer-Encoding: gzip, chunked"),
    "te_odd": transfer_coding(b"TRANSFER-encoding:\t X-GZip\t,,chunked "),
    "te_deflate": transfer_coding(b"Transfer-Encoding: deflate, chunked", pieces=lambda: squeezed(BODIES["blanks"](), 15)),
    "te_br": transfer_coding(b"Transfer-Encoding: br, chunked"),
    "te_two_lines": transfer_coding(b"Transfer-Encoding: gzip", CHUNKED),
    "te_behind_identity": transfer_coding(b"Transfer-Encoding: identity", b"Transfer-Encoding: Chunked, gzip"),
    "te_many": transfer_coding(b"Transfer-Encoding: " + b"gzip, " * 9 + b"chunked"),
    "te_on_302": lambda: answer(header(b"Transfer-Encoding: gzip, chunked", b"Location: /x", status=b"302 Found"), gzip(BODIES["blanks"]())),
    "te_identity": lambda: answer(header(b"Transfer-Encoding: identity, chunked"), small()),
    "ce_twice": lambda: answer(header(CHUNKED, b"Content-Encoding: gzip, gzip"), gzip(gzip(BODIES["blanks"]()))),
    "ce_two_lines": lambda: answer(header(CHUNKED, GZIP, GZIP), gzip(gzip(BODIES["blanks"]()))),
    "ce_gzip_in_gzip": lambda: answer(header(CHUNKED, GZIP), gzip(gzip(BODIES["blanks"]()))),
    "ce_br": lambda: answer(header(CHUNKED, b"Content-Encoding: br"), small()),
    "status_500": lambda: answer(header(CHUNKED, GZIP, status=b"500 Oops"), gzip(BODIES["err_text"]())),
    "status_500_tables": lambda: answer(header(CHUNKED, GZIP, status=b"500 Oops"), gzip(BODIES["err_list"]())),
    "status_302": lambda: answer(header(CHUNKED, GZIP, b"Location: http://192.0.2.1/", status=b"302 Found"), gzip(BODIES["blanks"]())),
    "header_long": lambda: around(b"HTTP/1.1 200 OK\r\nX-Long: ", much(b"x", 10), b"\r\n\r\n" + HEAD + REST),
    "header_endless": lambda: around(b"HTTP/1.1 200 OK\r\nX", much(b"x", 10), b""),
    "header_lines": lambda: around(b"HTTP/1.1 200 OK\r\n", much(b"X-Line: 1\r\n", 10), b"\r\n" + HEAD + REST),
    "header_continued": lambda: around(b"HTTP/1.1 200 OK\r\nX-Line: 1\r\n", much(b" 1\r\n", 10), b"\r\n" + HEAD + REST),
    "headers_1xx": lambda: around(b"", much(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 10), header() + HEAD + REST),
    "trailer_lines": lambda: around(header(CHUNKED) + b"".join(chunks(small())), much(b"X-Line: 1\r\n", 10), b"\r\n"),
    "trailer_long": lambda: around(header(CHUNKED) + b"".join(chunks(small())), much(b"x", 10), b"\r\n\r\n"),
    "chunk_extension": lambda: around(header(CHUNKED) + b"1;x=", much(b"x", 10), b"\r\n{\r\n" + b"".join(chunks([(HEAD + REST)[1:]])) + b"\r\n"),
    "chunk_extensions": lambda: around(header(CHUNKED), chunks([HEAD + REST], 1, b";" + b"x" * 5000), b"\r\n"),
    "chunk_size_long": lambda: around(header(CHUNKED), much(b"0", 10), b"\r\n\r\n"),
    "chunk_extension_endless": lambda: around(header(CHUNKED) + b"1;", forever(b"x"), b""),
    "chunk_extensions_endless": lambda: around(header(CHUNKED), chunks(forever(b" "), 1, b";" + b"x" * 100), b""),
    "chunks_of_1_flushed": lambda: around(header(CHUNKED, GZIP), chunks(each_byte_flushed(HEAD + b" " * 250000 + REST)), b"\r\n"),
    "hollow_blocks": hollow(GZIP_HEAD % 0, EMPTY_BLOCK),
    "hollow_blocks_deflate": hollow(b"\x78\x9c", EMPTY_BLOCK, b"deflate"),
    "hollow_blocks_bare_deflate": hollow(b"", EMPTY_BLOCK, b"deflate"),
    "hollow_blocks_by_length": lambda: around(header(GZIP, b"Content-Length: 99999999999") + GZIP_HEAD % 0, forever(EMPTY_BLOCK), b""),
    "hollow_blocks_to_the_end": lambda: around(header(GZIP) + GZIP_HEAD % 0, forever(EMPTY_BLOCK), b""),
    "hollow_members": hollow(b"", EMPTY_MEMBER),
    "hollow_members_extra": hollow(b"", LONG_EMPTY_MEMBER),
    "hollow_members_behind": hollow(b"".join(gzip([HEAD + REST])), EMPTY_MEMBER),
    "hollow_name": hollow(GZIP_HEAD % GZIP_NAME, b"a"),
    "hollow_comment": hollow(GZIP_HEAD % GZIP_COMMENT, b"a"),
    "hollow_but_a_byte": hollow(b"", b"".join(gzip([b" "])) + EMPTY_MEMBER * 100),
    "hollow_refusal": lambda: answer(header(CHUNKED, GZIP, status=b"500 Oops"), around(b"", forever(EMPTY_MEMBER), b"")),
    "hollow_slowly": lambda: slowly(answer(header(CHUNKED, GZIP), around(GZIP_HEAD % 0, (EMPTY_BLOCK * 200 for _ in range(3000)), b""))),
    "chunks_of_64": lambda: around(header(CHUNKED), chunks(BODIES["rows_alike"](), 64), b"\r\n"),
    "long_rows_in_chunks_of_64": lambda: around(header(CHUNKED), chunks(BODIES["long_rows"](), 64), b"\r\n"),
}


def serve(connection):
    connection.settimeout(60)
    request = common.read_request(lambda: connection.recv(65536))
    if not request:
        return
    method, target, _, _ = request
    name = target.strip("/") if method == "POST" else "small"
    pieces = ANSWERS[name]() if name in ANSWERS else answer(header(CHUNKED, GZIP), gzip(BODIES[name]()))
    for piece in pieces:
        connection.sendall(piece)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)


def main():
    global TIMES
    if sys.argv[1] == "body":
        TIMES = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        try:
            for piece in BODIES[sys.argv[2]]():
                sys.stdout.buffer.write(piece)
        except BrokenPipeError:
            os._exit(0)
        return
    TIMES = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    common.say_and_stay(common.listen(serve))


main()
