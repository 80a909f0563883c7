"""A second billing engine, in exact fractions and with Python's zoneinfo, written from the documents and not from the Lua code.

python3 engine.py SEED COUNT writes COUNT lines of JSON: {"given": a random bill's inputs, "expected": its figures as text, or "refused"}.
"""
import calendar
import datetime
import hashlib
import json
import random
import sys
from fractions import Fraction
from math import ceil, floor
from zoneinfo import ZoneInfo

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "Pacific/Apia",
         "Asia/Beirut", "Asia/Kathmandu", "Pacific/Chatham", "America/Havana"]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


# ---- rounding ----

def rounded(value, how):
    """To a whole number; half_up and up go away from zero."""
    value = Fraction(value)
    sign, size = (-1 if value < 0 else 1), abs(value)
    low = floor(size)
    rest = size - low
    if how == "up":
        low += rest > 0
    elif how == "half_up":
        low += rest >= Fraction(1, 2)
    elif how == "half_even":
        low += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and low % 2 == 1)
    return sign * low


def text(value):
    return "%d/%d" % (Fraction(value).numerator, Fraction(value).denominator)


def decimals(value, digits, how):
    scaled = rounded(Fraction(value) * 10 ** digits, how)
    return "%s%d.%0*d" % ("-" if scaled < 0 else "", abs(scaled) // 10 ** digits, digits, abs(scaled) % 10 ** digits)


# ---- time ----

class Calendar:
    def __init__(self, name):
        self.zone = ZoneInfo(name)

    def midnight(self, day):
        return int(datetime.datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def clock(self, epoch):
        return datetime.datetime.fromtimestamp(epoch, self.zone)

    def days(self, first, last):
        """How many days of the calendar there were: a day that the zone skipped is none."""
        count, day = 0, first
        while day < last:
            after = day + datetime.timedelta(1)
            count += self.midnight(after) > self.midnight(day)
            day = after
        return count


def cycle_day(year, month, anchor):
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return datetime.date(year, month, min(anchor, calendar.monthrange(year, month)[1]))


def period(cal, start, end, anchor):
    """A span of epochs, and the cycle that its beginning lies in."""
    here = cal.clock(start)
    year, month = here.year, here.month
    if start < cal.midnight(cycle_day(year, month, anchor)):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    first, last = cycle_day(year, month, anchor), cycle_day(year, month + 1, anchor)
    one, other = here.date(), cal.clock(end).date()
    days = cal.days(one, other) if cal.midnight(one) == start and cal.midnight(other) == end else None
    of = {"from": start, "to": end, "days": days, "month_from": cal.midnight(first), "month_to": cal.midnight(last), "month_days": cal.days(first, last),
          "month": "%04d-%02d" % (year, month)}
    of["whole"] = of["from"] == of["month_from"] and of["to"] == of["month_to"]
    return of


# ---- samples ----

def grid(points, of, interval, n, duplicates, counts):
    """Octets per interval, None where there is no sample."""
    values = [None] * n
    for epoch, octets in points:
        place, octets = (epoch - of["from"]) // interval, int(octets)
        if place < 0 or place >= n:
            counts["outside"] += 1
        elif values[place] is None:
            values[place] = octets
        else:
            counts["duplicates"] += 1
            values[place] = {"sum": values[place] + octets, "first": values[place], "last": octets}[duplicates]
    return values


def excluded_by(entries, cal, of, interval, n):
    found = [None] * n
    for i in range(n):
        at = of["from"] + i * interval
        here = cal.clock(at)
        minute = here.hour * 60 + here.minute
        for number, entry in enumerate(entries):
            if "weekdays" in entry:
                begin, end = (int(entry[k][:2]) * 60 + int(entry[k][3:]) for k in ("from", "to"))
                today, yesterday = DAYS[here.weekday()] in entry["weekdays"], DAYS[here.weekday() - 1] in entry["weekdays"]
                holds = today and begin <= minute < end if begin < end else (today and minute >= begin) or (yesterday and minute < end)
            else:
                holds = entry["from"] <= at < entry["to"]
            if holds:
                found[i] = number
                break
    return found


def sums(parts, policy, skip, limit):
    """The octets of all parts under a policy; None for what is not ranked."""
    total = None
    for values in parts:
        filled, before = [], None
        for i, octets in enumerate(values):
            if skip[i] is not None:
                filled.append(None)
                continue
            if octets is None:
                octets = {"zero": 0, "drop": None, "carry": before if before is not None else 0}[policy]
            before = octets
            filled.append(octets)
        total = filled if total is None else [None if a is None or b is None else a + b for a, b in zip(total, filled)]
    return [min(v, limit) if v is not None and limit is not None else v for v in total]


def rank_of(method, n, share):
    beyond = None
    if method == "nearest_rank":
        rank = ceil(share * n)
    elif method == "librenms":
        rank = rounded(share * n, "half_up")
    elif method == "cacti":
        rank = n - ceil((1 - share) * n)
    elif method == "rrdtool":
        rank = rounded(share * (n - 1), "half_up") + 1
    else:
        position = share * (n - 1)
        rank, beyond = floor(position) + 1, position - floor(position)
    return max(1, min(n, rank)), beyond


def percentile(values, of, interval, usage):
    """The percentile of what is ranked: octets as a fraction, rank, n, and the samples above it."""
    ranked = sorted(((-v, of["from"] + i * interval) for i, v in enumerate(values) if v is not None))
    n = len(ranked)
    if n == 0:
        return None
    share = 1 - Fraction(str(usage["discard"])) if "discard" in usage else Fraction(str(usage.get("percent", 95))) / 100
    rank, beyond = rank_of(usage.get("method", "nearest_rank"), n, share)
    above = n - rank
    octets = Fraction(-ranked[above][0])
    if usage.get("take") == "mean_next":
        count = min(rank, max(1, floor(Fraction(str(usage["take_fraction"])) * n)))
        octets = Fraction(sum(-v for v, _ in ranked[above:above + count]), count)
    elif beyond and above > 0:
        octets += (-ranked[above - 1][0] - octets) * beyond
    return {"n": n, "rank": rank, "octets": octets, "discarded": [(at, -v) for v, at in ranked[:above]]}


def best(measured):
    """The higher of two directions' percentiles, inbound if they are equal."""
    found = [(side, m) for side, m in measured if m]
    if not found:
        return None, None
    if len(found) == 2 and found[1][1]["octets"] > found[0][1]["octets"]:
        return found[1]
    return found[0]


def under(policy, sides, direction, of, interval, usage, skip, limit):
    lists = {side: sums(parts, policy, skip, limit) for side, parts in sides.items()}
    if direction in ("inbound", "outbound"):
        return direction, percentile(lists[direction], of, interval, usage)
    if direction == "higher_percentile":
        return best([(side, percentile(lists[side], of, interval, usage)) for side in ("inbound", "outbound")])
    join = (lambda a, b: a + b) if direction == "sum" else max
    joined = [None if a is None or b is None else join(a, b) for a, b in zip(lists["inbound"], lists["outbound"])]
    return "both", percentile(joined, of, interval, usage)


class Refused(Exception):
    pass


def ranges_of(flags, of, interval):
    ranges = []
    for i, flag in enumerate(flags):
        at = of["from"] + i * interval
        if flag and ranges and ranges[-1][1] == at:
            ranges[-1][1] = at + interval
        elif flag:
            ranges.append([at, at + interval])
    return ranges


def measure(given, member, cal, of, out, prefix):
    """A member's usage."""
    usage, interval = given["usage"], given["interval"]
    n = (of["to"] - of["from"]) // interval
    counts = {"outside": 0, "duplicates": 0}
    sides = {}
    for side in ("inbound", "outbound"):
        if side in member:
            sides[side] = [grid(part["points"], of, interval, n, given["duplicates"], counts) for part in member[side]]
    raw = {side: [list(values) for values in parts] for side, parts in sides.items()}
    direction = usage.get("direction") or ("higher_percentile" if len(sides) == 2 else list(sides)[0])
    billed = [direction] if direction in sides else list(sides)
    entries = usage.get("exclude", [])
    skip = excluded_by(entries, cal, of, interval, n)
    limit, over = None, 0
    if "line_speed" in usage:
        full = int(usage["line_speed"]) * interval
        policy = usage.get("over_speed", "error")
        for side in billed:
            places = [i for i, v in enumerate(sums(sides[side], "zero", skip, None)) if v is not None and v * 8 > full]
            over += len(places)
            if policy == "missing":
                for values in sides[side]:
                    for i in places:
                        values[i] = None
        if policy == "error" and over:
            raise Refused("speed")
        limit = full // 8 if policy == "clip" else None
        out[prefix + "over_speed"] = str(over)
    lacking = [skip[i] is None and any(values[i] is None for side in billed for values in sides[side]) for i in range(n)]
    missing, expected = sum(lacking), n - sum(s is not None for s in skip)
    policy = usage.get("missing", "error")
    threshold = Fraction(str(usage["threshold"])) if "threshold" in usage else (Fraction(0) if policy == "error" else Fraction(1, 2))
    if expected == 0 or Fraction(missing, expected) > threshold:
        raise Refused("missing")
    results = {p: under(p, sides, direction, of, interval, usage, skip, limit) for p in ("zero", "drop", "carry")}
    side, found = results["zero" if policy == "error" else policy]
    if not found:
        raise Refused("nothing to rank")
    totals = {s: sum(v for v in sums(sides[s], "zero", skip, limit) if v is not None) for s in sides}
    rate = found["octets"] * 8 / interval
    out.update({prefix + k: str(v) for k, v in {
        "n": found["n"], "rank": found["rank"], "side": side, "octets": text(found["octets"]), "rate": text(rate), "missing": missing,
        "expected": expected, "present": expected - missing, "duplicates": counts["duplicates"], "outside": counts["outside"],
        "coverage": decimals(Fraction(100 * (expected - missing), expected), 2, "down"), "ranges": json.dumps(ranges_of(lacking, of, interval)),
        "discarded": hashlib.sha256("".join("%d %d\n" % d for d in found["discarded"]).encode()).hexdigest()}.items()})
    for p, (_, other) in results.items():
        out[prefix + p] = "%d %d %s" % (other["n"], other["rank"], text(other["octets"])) if other else "none"
    for s, total in totals.items():
        out[prefix + "total " + s] = str(total)
    if "exclude" in usage:
        for number in range(len(entries)):
            out["%sexclusion %d" % (prefix, number + 1)] = "%d %s %s" % (
                sum(s == number for s in skip), json.dumps(ranges_of([s == number for s in skip], of, interval)),
                " ".join(str(sum(values[i] or 0 for values in raw[s] for i in range(n) if skip[i] == number)) for s in ("inbound", "outbound") if s in raw))
    lines = ["%s %d %d %s\n" % (s, p + 1, of["from"] + i * interval, "-" if v is None else v)
             for s in ("inbound", "outbound") for p, values in enumerate(raw.get(s, [])) for i, v in enumerate(values)]
    return direction, totals, rate, "".join(lines)


# ---- money ----

UNITS = {"B": 1, "bps": 1}
for index, letter in enumerate("kMGTP"):
    UNITS[letter + "bps"] = UNITS[letter + "B"] = 1000 ** (index + 1)
    binary = ("K" if letter == "k" else letter) + "i"
    UNITS[binary + "bps"] = UNITS[binary + "B"] = 1024 ** (index + 1)
POINTS = {"rate": "half_up", "units": "up", "line": "half_up", "tax": "half_up", "total": "half_up"}


def number(value):
    return Fraction(str(value))


class Bill:
    def __init__(self, tariff, of):
        self.tariff, self.of, self.lines = tariff, of, []
        self.how = dict(POINTS, **tariff.get("rounding", {}))
        if of["whole"]:
            self.part = Fraction(1)
        elif tariff.get("prorate") == "seconds":
            self.part = Fraction(of["to"] - of["from"], of["month_to"] - of["month_from"])
        else:
            self.part = Fraction(of["days"], of["month_days"]) if of["days"] is not None else None

    def sum(self):
        return sum(line[-1] for line in self.lines)

    def line(self, name, price, prorated=False, quantity=1):
        exact = number(price) * quantity
        part = self.part if prorated and not self.of["whole"] else None
        if part is not None:
            exact *= part
        self.lines.append((name, quantity, number(price), part, exact, rounded(exact, self.how["line"])))

    def units(self, direction, totals, rate):
        """A member's billable units."""
        t = self.tariff
        if t.get("measure") == "volume":
            value = Fraction({"sum": sum(totals.values())}.get(direction, totals[direction] if direction in totals else max(totals.values())))
        else:
            value = rate if self.how["rate"] == "none" else Fraction(rounded(rate, self.how["rate"]))
        value /= UNITS[t["unit"]]
        if "step" in t:
            value = rounded(value / number(t["step"]), self.how["units"]) * number(t["step"])
        return value

    def tiers(self, units, name):
        t = self.tariff
        if "tiers" not in t:
            return self.line(name, t["price"], quantity=units)
        if t.get("tiering") == "volume":
            for i, tier in enumerate(t["tiers"]):
                if "up_to" not in tier or units <= number(tier["up_to"]):
                    return self.line("%s, tier %d" % (name, i + 1), tier["price"], quantity=units)
        done = Fraction(0)
        for i, tier in enumerate(t["tiers"]):
            upper = min(units, number(tier["up_to"])) if "up_to" in tier else units
            if upper > done or (i == 0 and units == 0):
                self.line("%s, tier %d" % (name, i + 1), tier["price"], quantity=upper - done)
                done = max(done, upper)

    def limit(self, name):
        value = Fraction(int(self.tariff[name]))
        if self.tariff.get("prorate_" + name) and not self.of["whole"]:
            value *= self.part
        return rounded(value, self.how["line"])

    def price(self, units, commit, out):
        t, over = self.tariff, units
        if commit is not None:
            if "commit_fee" in t:
                self.line("Commit", t["commit_fee"], t.get("prorate_commit"))
            else:
                first = t["price"] if "price" in t else t["tiers"][0]["price"]
                self.line("Commit", t.get("commit_price", first), t.get("prorate_commit"), commit)
            over = max(Fraction(0), units - commit)
        self.tiers(over, "Usage" if commit is None else "Over the commit")
        if "minimum" in t and self.sum() < self.limit("minimum"):
            self.line("Up to the minimum charge", self.limit("minimum") - self.sum())
        if "cap" in t and self.sum() > self.limit("cap"):
            self.line("Down to the cap", self.limit("cap") - self.sum())
        for fee in t.get("fees", []):
            self.line(fee["name"], fee["amount"], fee.get("prorate"))
        total = self.sum()
        if "taxes" in t:
            out["subtotal"] = str(total)
            for i, tax in enumerate(t["taxes"]):
                exact = Fraction(out["subtotal"]) * number(tax.get("rate", 0)) / 100
                amount = rounded(exact, self.how["tax"])
                out["tax %d" % (i + 1)] = "%s %s %d" % (tax["name"], text(exact), amount)
                total += amount
        if "total_step" in t:
            total = rounded(Fraction(total, t["total_step"]), self.how["total"]) * t["total_step"]
        out.update({"total": str(total), "over": text(over), "units": text(units), "commit": text(commit) if commit is not None else "none",
                    "document": "credit_note" if total < 0 else "invoice",
                    "used": decimals(100 * units / commit, 2, "half_up") if commit else "none"})
        for i, (name, quantity, price, part, exact, amount) in enumerate(self.lines):
            out["line %d" % (i + 1)] = "%s %s %s %s %s %d" % (name, text(quantity), text(price), text(part) if part is not None else "-", text(exact), amount)


def engine(given):
    cal, span, out = Calendar(given["zone"]), given["period"], {}
    of = period(cal, span["from"], span["to"], span["anchor"])
    out.update({"period " + k: str(of[k]) for k in ("from", "to", "month", "month_from", "month_to", "month_days")})
    out["period days"], out["period whole"] = str(of["days"]) if of["days"] is not None else "none", "true" if of["whole"] else "false"
    bill, units, commits, canonical = Bill(given["tariff"], of), Fraction(0), [], ""
    try:
        for i, member in enumerate(given["members"]):
            direction, totals, rate, lines = measure(given, member, cal, of, out, "member %d " % (i + 1))
            own = bill.units(direction, totals, rate)
            out["member %d units" % (i + 1)] = text(own)
            units += own
            canonical += "member %d\n" % (i + 1) + lines
            if "commit" in member:
                commits.append(number(member["commit"]))
    except Refused:
        return "refused"
    if "commit" in given["tariff"]:
        commits = [number(given["tariff"]["commit"])]
    bill.price(units, sum(commits, Fraction(0)) if commits else None, out)
    out["samples_sha256"] = hashlib.sha256(canonical.encode()).hexdigest()
    return out


# ---- random bills ----

def pick_period(rnd, cal):
    anchor = rnd.choice([1, 1, 1, rnd.randint(2, 31), 16, 31])
    year, month = rnd.randint(1995, 2025), rnd.randint(1, 12)
    if rnd.random() < 0.15 and cal.zone.key == "Pacific/Apia":
        year, month, anchor = 2011, rnd.choice([11, 12]), rnd.choice([1, 16, 30])
    first, last = cycle_day(year, month, anchor), cycle_day(year, month + 1, anchor)
    kind = rnd.choice(["whole", "days", "days", "days", "hours"])
    start, end = cal.midnight(first), cal.midnight(last)
    if kind == "whole":
        return start, end, anchor, rnd.choice([3600, 3600, 1800, 1800, 300] if rnd.random() < 0.3 else [3600])
    length = (last - first).days
    one = rnd.randrange(length)
    other = min(length, one + rnd.choice([1, 1, 2, 3, 7]))
    begin, finish = cal.midnight(first + datetime.timedelta(one)), cal.midnight(first + datetime.timedelta(other))
    if kind == "hours":
        finish = min(end, begin + rnd.randint(1, 300) * 300)
        return begin, finish, anchor, 300
    return begin, finish, anchor, rnd.choice([300, 300, 900, 1800])


def pick_points(rnd, start, end, interval, gaps, top):
    values = [rnd.randint(0, top) if rnd.random() < 0.7 else rnd.choice([0, top, top // 2]) for _ in range((end - start) // interval)]
    points = [[start + i * interval, v] for i, v in enumerate(values) if rnd.random() >= gaps]
    return [[at, str(v) if v > 2 ** 53 else v] for at, v in points]


def pick_member(rnd, given, name):
    start, end, interval = given["period"]["from"], given["period"]["to"], given["interval"]
    gaps = rnd.choice([0, 0, 0.01, 0.05, 0.2])
    top = rnd.choice([5, 1000, 10 ** 9, 4 * 10 ** 10, 4 * 10 ** 10, 10 ** 14, 2 ** 60 if rnd.random() < 0.2 else 10 ** 9])
    member = {"name": name}
    for side in rnd.choice([["inbound"], ["outbound"], ["inbound", "outbound"], ["inbound", "outbound"], ["inbound", "outbound"]]):
        member[side] = [{"name": "port %d" % (p + 1), "points": pick_points(rnd, start, end, interval, gaps, top)} for p in range(rnd.choice([1, 1, 1, 2, 3]))]
        points = member[side][0]["points"]
        if given["duplicates"] != "error" and points and rnd.random() < 0.5:
            points += [[at, rnd.randint(0, 1000)] for at, _ in rnd.sample(points, min(3, len(points)))]
        if rnd.random() < 0.1:
            points.append([end + interval * rnd.randint(0, 3), 5])
            points.append([start - interval, 7])
        rnd.shuffle(points)
    return member


def pick_exclusions(rnd, given):
    entries, start, end = [], given["period"]["from"], given["period"]["to"]
    for i in range(rnd.randint(1, 3)):
        entry = {"name": "exclusion %d" % i, "reason": "reason %d" % i}
        if rnd.random() < 0.5:
            entry["weekdays"] = rnd.sample(DAYS, rnd.randint(1, 4))
            entry["from"], entry["to"] = "%02d:%02d" % (rnd.randint(0, 23), rnd.choice([0, 15, 30])), rnd.choice(["24:00", "06:00", "%02d:45" % rnd.randint(0, 23)])
        else:
            at = start + (end - start) * rnd.randint(0, 90) // 100
            entry["from"] = at // given["interval"] * given["interval"] - rnd.choice([0, 0, 7])
            entry["to"] = entry["from"] + rnd.choice([1, 2, 20]) * given["interval"]
        if entry["from"] != entry["to"]:
            entries.append(entry)
    return entries


def pick_usage(rnd, given):
    usage, both = {}, all("inbound" in m and "outbound" in m for m in given["members"])
    if rnd.random() < 0.8:
        usage["missing"] = rnd.choice(["zero", "drop", "carry", "carry", "error"])
    if usage.get("missing", "error") == "error" or rnd.random() < 0.3:
        usage["threshold"] = rnd.choice([0, "0.01", 0.25, 1, "0.9"])
    if rnd.random() < 0.15:
        usage["discard"] = rnd.choice([0.05, "0.1", 0.333])
    elif rnd.random() < 0.7:
        usage["percent"] = rnd.choice([95, 95, 90, 99.9, "97.5", 50, 100, 1, "33.3333"])
    if rnd.random() < 0.6:
        usage["method"] = rnd.choice(["nearest_rank", "librenms", "cacti", "rrdtool", "linear"])
    if usage.get("method", "nearest_rank") == "nearest_rank" and rnd.random() < 0.15:
        usage["take"], usage["take_fraction"] = "mean_next", rnd.choice([0.15, "0.02", 0.001])
    if both and rnd.random() < 0.7:
        usage["direction"] = rnd.choice(["higher_percentile", "higher_sample", "sum", "inbound", "outbound"])
    if rnd.random() < 0.35:
        usage["exclude"] = pick_exclusions(rnd, given)
    if rnd.random() < 0.3:
        usage["line_speed"] = rnd.choice([10 ** 9, 2 * 10 ** 8, 10 ** 12, "123456789", 10 ** 15])
        if rnd.random() < 0.8:
            usage["over_speed"] = rnd.choice(["clip", "clip", "missing"])
    return usage


def pick_price(rnd):
    return rnd.choice([0, 1, rnd.randint(1, 100000), "%d.%03d" % (rnd.randint(0, 900), rnd.randint(0, 999)), 0.125, "750.5"])


def pick_rounding(rnd, t, exact):
    modes, how = ["half_up", "half_even", "up", "down"], {}
    points = ["line"] + ["rate"] * ("measure" not in t) + ["units"] * ("step" in t) + ["total"] * ("total_step" in t)
    points += ["tax"] * any("rate" in tax for tax in t.get("taxes", []))
    for point in points:
        if rnd.random() < 0.4:
            how[point] = rnd.choice(modes + (["none"] if point == "rate" else []))
    if exact and "measure" not in t and how.get("rate", "none") == "none":
        how["rate"] = rnd.choice(modes)
    return how


def pick_tariff(rnd, given, of):
    t = {"currency": rnd.choice(["EUR", "USD", "CHF", "JPY", "KWD"])}
    if rnd.random() < 0.3:
        t["measure"], t["unit"] = "volume", rnd.choice(["B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"])
    else:
        t["unit"] = rnd.choice(["bps", "kbps", "Mbps", "Mbps", "Gbps", "Kibps", "Mibps", "Gibps"])
    if rnd.random() < 0.4:
        t["step"] = rnd.choice([1, 10, "0.1", 0.25])
    pooled_commit = given["pool"] and rnd.random() < 0.5
    if pooled_commit:
        for i, member in enumerate(given["members"]):
            if i == 0 or rnd.random() < 0.7:
                member["commit"] = rnd.choice([0, 1, 100, "12.5"])
    elif rnd.random() < 0.5:
        t["commit"] = rnd.choice([0, 5, 100, "0.75", 1000000])
    in_month = of["to"] <= of["month_to"]
    by_days, prorates = of["days"] is not None, False
    if "commit" in t or pooled_commit:
        if rnd.random() < 0.6:
            t[rnd.choice(["commit_price", "commit_fee"])] = rnd.randint(0, 100000)
        if not of["whole"] or rnd.random() < 0.3:
            t["prorate_commit"] = in_month and rnd.random() < 0.5
    if rnd.random() < 0.6:
        t["price"] = pick_price(rnd)
    else:
        t["tiers"] = [{"price": pick_price(rnd), "up_to": 10 ** i * rnd.randint(1, 9)} for i in range(rnd.randint(0, 4))] + [{"price": pick_price(rnd)}]
        if rnd.random() < 0.5:
            t["tiering"] = rnd.choice(["graduated", "volume"])
    if rnd.random() < 0.3:
        t["minimum"] = rnd.randint(0, 10 ** 6)
    if rnd.random() < 0.3:
        t["cap"] = rnd.randint(t.get("minimum", 0), 10 ** 7)
    if in_month and rnd.random() < 0.5:
        for name in ("minimum", "cap"):
            if name in t:
                t["prorate_" + name] = True
    if rnd.random() < 0.6:
        t["fees"] = [{"name": "fee %d" % i, "amount": rnd.randint(-50000, 100000)} for i in range(rnd.randint(1, 3))]
        for fee in t["fees"]:
            if in_month and rnd.random() < 0.5:
                fee["prorate"] = True
    prorates = t.get("prorate_commit") or "prorate_minimum" in t or "prorate_cap" in t or any("prorate" in fee for fee in t.get("fees", []))
    if prorates and (not by_days or rnd.random() < 0.3):
        t["prorate"] = "seconds"
    if rnd.random() < 0.4:
        t["taxes"] = rnd.choice([[{"name": "VAT", "rate": rnd.choice([19, "8.1", 7.7, 0])}], [{"name": "VAT", "reverse_charge": "owed by the customer"}],
                                 [{"name": "GST", "rate": 5}, {"name": "QST", "rate": "9.975"}]])
    if rnd.random() < 0.2:
        t["total_step"] = rnd.choice([5, 10, 100])
    exact = given["usage"].get("method") == "linear" or "take" in given["usage"]
    how = pick_rounding(rnd, t, exact)
    if how:
        t["rounding"] = how
    return t


def pick_bill(rnd):
    while True:
        given = {"zone": rnd.choice(ZONES), "duplicates": rnd.choice(["error", "error", "sum", "first", "last"])}
        cal = Calendar(given["zone"])
        start, end, anchor, interval = pick_period(rnd, cal)
        if start < end and start % 300 == 0 and end % 300 == 0 and (end - start) % interval == 0:
            break
    given["period"], given["interval"] = {"from": start, "to": end, "anchor": anchor}, interval
    given["pool"] = rnd.random() < 0.25
    given["members"] = [pick_member(rnd, given, "member %d" % i) for i in range(rnd.randint(1, 3) if given["pool"] else 1)]
    given["usage"] = pick_usage(rnd, given)
    given["tariff"] = pick_tariff(rnd, given, period(cal, start, end, anchor))
    return given


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for i in range(count):
        given = pick_bill(random.Random("%d %d" % (seed, i)))
        print(json.dumps({"number": i, "given": given, "expected": engine(given)}, separators=(",", ":")))


main()
