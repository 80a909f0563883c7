"""A report over plain HTTP whose rows lie in a file that a spec writes anew between two requests: python3 spec/servers/rows_server.py DIRECTORY

DIRECTORY/state is read for each request:
  {"inbound": [[name, count], ...], "outbound": ..., "cap": rows of a whole answer, "total": false (none is said), "window": [first, last] or null,
   "answers": ["ok", ...], "run": number}
"answers" says how the requests of this run are answered, one after the other, "ok" for the rest: "cut" (ends within the rows) or "cut BYTES" (so
many are missing), "drop", "delay", "html", a status, "redirect URL", or JSON text. DIRECTORY/log gets a line for each report asked for:
direction offset rows, joined by blanks. No connection is kept. Prints its port. Ends when its standard input does.
"""
import http.server
import json
import sys
import threading
import time
import urllib.parse

import common

DIRECTORY = sys.argv[1]
COLUMNS = [{"elementName": "name", "label": "Name", "title": "Name"},
           {"elementName": "sum_count", "label": "Count", "title": "Count", "defaultSort": "DESC"}]
seen = {"run": None, "count": 0}
lock = threading.Lock()


def cell(value):
    return {"rawValue": str(value), "label": str(value), "title": ""}


def read_state():
    with open(DIRECTORY + "/state", encoding="utf-8") as file:
        return json.load(file)


def log(requested):
    words = []
    for direction in sorted(requested):
        limit = requested[direction]["table"]["query_limit"]
        words.append(f'{direction} {limit["offset"]} {limit["max_num_rows"]}')
    with open(DIRECTORY + "/log", "a", encoding="utf-8") as file:
        file.write(" ".join(words) + "\n")


def report(state, requested):
    room, table = state.get("cap", 10**12), {}
    for direction in ("inbound", "outbound"):
        if direction not in requested:
            continue
        limit, rows = requested[direction]["table"]["query_limit"], state.get(direction) or []
        offset = int(limit["offset"])
        part = rows[offset:offset + min(room, int(limit["max_num_rows"]))]
        room -= len(part)
        table[direction] = {"columns": COLUMNS, "rows": [[cell(value) for value in row] for row in part]}
        if state.get("total", True):
            table[direction]["totalRowCount"] = str(len(rows))
    window = state.get("window", [1795341600, 1795342740])
    facts = {"time_details": {"timezone": "UTC", "first_time": {"epoch": str(window[0])}, "last_time": {"epoch": str(window[1])}}} if window else {}
    # What the report says of itself comes before its rows, so that it is known where an answer is cut.
    for direction in table:
        table[direction] = dict(sorted(table[direction].items(), key=lambda item: item[0] == "rows"))
    return json.dumps({"report": {**facts, "table": table}}).encode()


def next_answer(state):
    with lock:
        if seen["run"] != state.get("run"):
            seen["run"], seen["count"] = state.get("run"), 0
        seen["count"] += 1
        answers = state.get("answers", [])
        return answers[seen["count"] - 1] if seen["count"] <= len(answers) else "ok"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=(), length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.send_header("Connection", "close") # also ends it here
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"{}")

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        requested = json.loads(form["data_requested"][0])
        state = read_state()
        log(requested)
        kind, body = next_answer(state), report(state, requested)
        if kind == "delay":
            time.sleep(1)
        if kind in ("ok", "delay"):
            self.answer(body)
        elif kind.startswith("cut"):
            self.answer(body[:len(body) - int(kind[3:] or 100)], length=len(body))
        elif kind == "drop":
            self.close_connection = True
        elif kind == "html":
            self.answer(b"<html>no</html>")
        elif kind.startswith("redirect "):
            self.answer(b"", 302, [("Location", kind[9:])])
        elif kind.isdigit():
            self.answer(b"no", int(kind))
        else:
            self.answer(kind.encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    common.say_and_stay(server.server_address[1])


main()
