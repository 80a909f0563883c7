# What tables of an appliance keep of the recorded flows, computed from the flows alone: for specs of rollups and of bills from them.
# Usage: kept_flows.py FROM TO BUCKET TABLE MOST [SIDE NETWORK [EXPORTER]]
#   prints one line "epoch octets" for each bucket of BUCKET seconds in [FROM, TO): what a table with buckets of TABLE seconds (60: one that keeps
#   all) has kept, with the MOST greatest conversations per exporter and bucket; of flows whose src or dst (SIDE) is in NETWORK, and of EXPORTER.
import collections, csv, gzip, ipaddress, sys

first, last, size, table, most = map(int, sys.argv[1:6])
side, network, exporter = (sys.argv[6:] + [None] * 3)[:3]
network = network and ipaddress.ip_network(network)


def inside(text):
    try:
        return ipaddress.ip_address(text) in network
    except ValueError:  # the meter cuts some IPv6 addresses short
        return False


def common(flow):
    if flow["protocol"] not in ("6", "17", "132"):
        return 0
    ports = [p for p in (int(flow["src_port"]), int(flow["dst_port"])) if p]
    return min(ports) if ports else 0


flows = list(csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")))
tables = collections.defaultdict(collections.Counter)  # of one exporter and bucket: octets of each conversation
for flow in flows:
    flow["at"] = int(flow["start_ms"]) // 1000
    flow["what"] = (flow["src_ip"], flow["dst_ip"], int(flow["protocol"]), int(flow["input_if"]), int(flow["output_if"]), common(flow))
    tables[flow["exporter"], flow["at"] // table][flow["what"]] += int(flow["octets"])
kept = {key: set(sorted(sums, key=lambda what: (-sums[what], what))[:most]) for key, sums in tables.items()}

day = collections.Counter()
for flow in flows:
    if table > 60 and flow["what"] not in kept[flow["exporter"], flow["at"] // table]:
        continue
    if network and not inside(flow[side + "_ip"]):
        continue
    if exporter and flow["exporter"] != exporter:
        continue
    day[flow["at"]] += int(flow["octets"])

sums = collections.Counter({t: 0 for t in range(first - first % size, last, size)})
for start in range(first - first % 86400, last, 86400):
    for at, octets in day.items():
        if first <= start + at < last:
            sums[(start + at) - (start + at) % size] += octets
for epoch in sorted(sums):
    print(epoch, sums[epoch])
