# For keep_spec.lua: rows of a report, conditions on them, and which rows each condition keeps, as JSON.
import ipaddress, json, random, re
from decimal import Decimal
random.seed(20261127)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
ADDRESSES = ["10.0.0.1", "10.0.0.255", "10.0.1.0", "10.255.255.255", "11.0.0.0", "9.255.255.255", "192.0.2.7", "010.0.0.1", "10.0.0", "10.0.0.256",
    "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:db8:ffff::", "2001:db9::", "::ffff:10.0.0.1", "::", "fe80::7..0f:a88e", "fe80::1%eth0", "1::2::3",
    "1:2:3:4:5:6:7::", "::1.2.3.4", "", "host-10.0.0.1", "10.0.0.1 ", "255.255.255.255", "0.0.0.0", "10.0.255",
    "0000:0000:0000:0000:0000:ffff:255.255.255.255"]
NUMBERS = ["0", "-0", "1", "999", "1000", "1001", "1e3", "1000.0", "1000.5", "9007199254740992", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0.1", "0.10", "1e400",
    "1e-400", "123456789012345678901234567890.000000000000000000001", "123456789012345678901234567890", "-1", "-0.0", "12e-1", "1.2"]
APPS = ["HTTP (80 - TCP)", "HTTPS (443 - TCP)", "https", "DNS", "", "ipfix (4739 - UDP)", "a\"b\\c", "zürich", "443", "443.0", "53", "HTT", "xHTTP", "aab", "aaab"]

def row(i):
    a = random.choice(ADDRESSES) if random.random() < 0.9 else None
    n = random.choice(NUMBERS) if random.random() < 0.9 else None
    t = random.choice(APPS) if random.random() < 0.9 else None
    return {"i": i, "ip": a, "n": n, "t": t, "label": "row %d%s" % (i, random.choice(["", "", " é", ' "q"']))}

def is_address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

def network_of(text):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None

def decimal(text):
    return Decimal(text) if NUMBER.match(text) else None

def holds(c, value, numeric):
    if isinstance(c, list):
        return any(holds(x, value, numeric) for x in c)
    if isinstance(c, dict):
        parts = []
        for name, x in c.items():
            if name == "no":
                parts.append(not holds(x, value, numeric))
            elif value is None:
                parts.append(False)
            elif name in ("begins", "contains"):
                texts = x if isinstance(x, list) else [x]
                parts.append(any(value.startswith(t) if name == "begins" else t in value for t in texts))
            else:
                n, bound = decimal(value), Decimal(str(x))
                parts.append(n is not None and (n >= bound if name == "min" else n <= bound))
        return all(parts)
    if value is None:
        return False
    if isinstance(c, str) and not numeric:
        if c == value:
            return True
        a, n = is_address(value), network_of(c)
        return "%" not in value and a is not None and n is not None and a.version == n.version and a in n
    n, wanted = decimal(value), decimal(str(c))
    return n is not None and n == wanted

CONDITIONS = [{"ip": c} for c in ["10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "10.0.0.1/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1", "2001:0db8::0001",
    "fe80::7..0f:a88e", "", ["10.0.0.1", "192.0.2.0/24", "2001:db8::/33"], {"no": "10.0.0.0/8"}, {"no": {"no": "10.0.0.0/8"}}, {"begins": "10.0.0."}, {"contains": "::"},
    {"no": ["0.0.0.0/0", "::/0"]}, ["10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/24"], ["10.0.0.0/9", "10.128.0.0/9"], ["255.255.255.255", "0.0.0.0"], "::ffff:10.0.0.1", "255.255.255.255/32",
    ["10.0.0.0/8", "10.0.1.0/24"], "::ffff:ff00:0/104"]]
CONDITIONS += [{"n": c} for c in [1000, "1000", "1e3", 0, "-0", "9007199254740993", "9223372036854775808", {"min": 1000}, {"max": 1000}, {"min": 1000, "max": 1001},
    {"min": "9223372036854775807"}, {"min": "9223372036854775808"}, {"max": "-9223372036854775809"}, {"min": 0.1, "max": 0.1}, {"min": "1e400"}, {"max": "1e-400"},
    {"min": "0", "max": "1e-399"}, {"no": {"min": 1}}, {"no": 0}, [1, 999, "18446744073709551615"], {"min": "123456789012345678901234567890.0000000000000000000001"},
    {"begins": "9"}, {"contains": "."}, {"min": 1.2, "max": "12e-1"}, {"no": [{"min": 1000}, "0.1"]}]]
CONDITIONS += [{"t": c} for c in ["DNS", ["DNS", "https"], {"begins": "HTTP"}, {"begins": ["HTTP", "ip"]}, {"contains": "443"}, {"contains": ["aab", "ür"]}, {"no": {"begins": "HTTP"}},
    443, "443", 443.0, {"min": 53, "max": 443}, "a\"b\\c", {"contains": "\\"}, "zürich", "", {"begins": "HTT", "contains": "443"}, {"begins": "HTTP", "no": {"contains": "443"}},
    {"no": ""}, [{"begins": "x"}, {"contains": "aa"}, "DNS"], {"no": {"no": {"no": "DNS"}}}, {"contains": "aab"},
    [443, "443"], ["443", 443], "0443", {"begins": "4", "min": 443.5}, {"contains": "4", "max": 443}]]
CONDITIONS += [{"label": {"contains": "é"}}, {"label": "row 7"}, {"label": {"begins": "row 1"}, "ip": "10.0.0.0/8"},
    {"ip": "10.0.0.0/8", "n": {"min": 1}, "t": {"no": {"begins": "HTTP"}}}, {"n": {"no": 1000}, "label": {"no": {"contains": "q"}}}]

def cell(value, label):
    return json.dumps({"rawValue": value, "label": label, "title": "x"}, ensure_ascii=random.random() < 0.5)

def answer(rows):
    columns = [{"title": "Rank", "label": ""}, {"elementName": "ip", "label": "l"}, {"elementName": "sum_n", "label": "l"}, {"elementName": "t", "label": "l"}]
    out = ["[%s,%s,%s,%s]" % (json.dumps({"title": "Rank: %d" % r["i"], "label": str(r["i"])}), cell(r["ip"], r["label"]), cell(r["n"], "NA"), cell(r["t"], "t")) for r in rows]
    return '{"report":{"table":{"inbound":{"columns":%s,"rows":[%s],"totalRowCount":"%d"}}}}' % (json.dumps(columns), ",".join(out), len(rows))

def kept(rows):
    return [[r["i"] for r in rows if all(holds(c, r[f], f == "n") for f, c in condition.items())] for condition in CONDITIONS]

many, few = [row(i) for i in range(1, 401)], [row(i) for i in range(1, 13)]
print(json.dumps({"conditions": CONDITIONS, "many": {"text": answer(many), "kept": kept(many)}, "few": {"text": answer(few), "kept": kept(few)}}))
