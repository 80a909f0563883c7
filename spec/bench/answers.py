"""The rows that the benches read, and the answers that Python writes of them. Usage: answers.py FLOWS NAMES FOLDER COUNT

Writes into FOLDER:
  rows.ndjson         one row a line, for answers.pl: a list of cells [raw value, label, title]
  rows_512.ndjson     the same from the 512 sources that have the most flows
  shuffled.json       each cell's members in an order of its own, any order as likely as another
  one_make.json       one order for all cells; every fourth label of a name has an escape (in the others: every 16th)
  one_make_512.json   the same from 512 sources
Values are those of the recorded flows: addresses (every eighth of IPv6), ports and protocols of one flow; its packets and octets times a number
up to 2,000, as sums of a day would be. Some destinations and times are null. Rows are sorted by octets, descending. The same on every run.
"""
import collections
import csv
import gzip
import itertools
import json
import random
import re
import sys

START = 1700000000 - 1700000000 % 60
COLUMNS = [("sourceipaddress", "Source"), ("commonport", "Common Port"), ("destinationipaddress", "Destination"), ("percenttotal", "Traffic %"),
           ("sum_packetdeltacount", "Packets"), ("sum_octetdeltacount", "Traffic"), ("first_flow_epoch", "first_flow_epoch"),
           ("last_flow_epoch", "last_flow_epoch")]
LEFT = {"sourceipaddress", "commonport", "destinationipaddress", "first_flow_epoch", "last_flow_epoch"}


def names_of(path):
    """The names of ports and protocols in the sandbox's names.sql."""
    text = open(path, encoding="utf-8").read()
    ports = {(int(port), int(protocol)): name for port, protocol, name in re.findall(r"\((\d+), (\d+), '([^']+)'\)", text)}
    protocols = re.search(r"INSERT INTO protocols VALUES(.*?);", text, re.S).group(1)
    return ports, {int(number): name for number, name in re.findall(r"\((\d+), '([^']+)'\)", protocols)}


def common_port(flow, ports, protocols):
    """The lower port that is not 0, with its protocol: as the sandbox's flows.sql says it."""
    protocol = int(flow["protocol"])
    both = [port for port in (int(flow["src_port"]), int(flow["dst_port"])) if port]
    port = min(both) if both and protocol in (6, 17, 132) else 0
    return f"{ports.get((port, protocol), 'unknown')} ({port} - {protocols.get(protocol, protocol)})"


def scaled(value):
    for prefix in ("", "K", "M", "G"):
        if value < 1000:
            return f"{value:.1f} {prefix}b"
        value /= 1000
    return f"{value:.1f} Tb"


def with_escape(label, n):
    """A label with one byte that JSON must escape."""
    return (f'{label} "primary"', f"{label}\\local", f"{label}\tbackup", f"{label} Z\u00fcrich")[n % 4]


def make_rows(flows, names, count, escape_every, each=()):
    """Rows of [raw value, label, title] for each column. The flows of `each` come in any case."""
    pick, labels = random.Random(7), itertools.count()
    sixes = [flow for flow in flows if ":" in flow["src_ip"]]
    chosen = []
    for i in range(count):
        flow = pick.choice(sixes if i % 8 == 3 else flows)
        flow = each[i] if i < len(each) else flow
        chosen.append((pick.randint(1, 2000), flow))
    chosen.sort(key=lambda item: -item[0] * int(item[1]["octets"]))
    whole = sum(times * int(flow["octets"]) for times, flow in chosen)

    def named(text):
        n = next(labels)
        return [text, with_escape(text, n // escape_every) if n % escape_every == 0 else text, text]

    for i, (times, flow) in enumerate(chosen):
        packets, octets = times * int(flow["packets"]), times * int(flow["octets"])
        share = f"{octets * 100 / whole:.2f} %"
        first, last = (str(START + int(flow[key]) // 60000 * 60) for key in ("start_ms", "end_ms"))
        destination = named(flow["dst_ip"])
        yield [named(flow["src_ip"]), named(common_port(flow, *names)),
               [None, "NA", "Value undefined"] if i % 31 == 30 else destination, [None, share, share],
               [str(packets)] * 3, [str(octets), scaled(octets * 8), scaled(octets * 8)], [first] * 3,
               [None, "NA", "--"] if i % 13 == 12 else [last] * 3]


def cell(column, value):
    return {"rawValue": value[0], "dataJson": '{"column":"%s"}' % column[0], "klasstd": "alignLeft" if column[0] in LEFT else "alignRight",
            "klassLabel": "", "title": value[2], "label": value[1]}


def rank(n):
    return {"klasstd": f"rank{n}", "title": f"Rank: {n}", "label": str(n)}


def write_answer(path, rows, shuffled):
    order = random.Random(11)

    def text(members):
        if shuffled:
            items = list(members.items())
            order.shuffle(items)
            members = dict(items)
        return json.dumps(members, separators=(",", ":"))

    columns = [{"title": "Rank", "label": "", "klassth": "alignRight"}] + [{"elementName": name, "label": label} for name, label in COLUMNS]
    with open(path, "w", encoding="ascii") as out:
        out.write('{"report":{"request_id":"0x1","table":{"inbound":{"columns":%s,"totalRowCount":"%d","rows":[' % (
            json.dumps(columns, separators=(",", ":")), len(rows)))
        for i, row in enumerate(rows):
            cells = [text(rank(i + 1))] + [text(cell(column, value)) for column, value in zip(COLUMNS, row)]
            out.write(("," if i else "") + "[" + ",".join(cells) + "]")
        out.write("]}}}}")


def write_lines(path, rows):
    with open(path, "w", encoding="ascii") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


def main():
    flows_path, names_path, folder, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    names = names_of(names_path)
    with gzip.open(flows_path, "rt", encoding="utf-8") as file:
        flows = list(csv.DictReader(file))
    most = {source for source, _ in collections.Counter(flow["src_ip"] for flow in flows).most_common(512)}
    few = [flow for flow in flows if flow["src_ip"] in most]
    each = list({flow["src_ip"]: flow for flow in few}.values())
    rows = list(make_rows(flows, names, count, escape_every=16))
    write_lines(folder + "/rows.ndjson", rows)
    write_lines(folder + "/rows_512.ndjson", make_rows(few, names, count, escape_every=16, each=each))
    write_answer(folder + "/shuffled.json", rows, shuffled=True)
    write_answer(folder + "/one_make.json", list(make_rows(flows, names, count, escape_every=4)), shuffled=False)
    write_answer(folder + "/one_make_512.json", list(make_rows(few, names, count, escape_every=4, each=each)), shuffled=False)


main()
