#!/usr/bin/env python3
"""Prints secrets as Python's own encoders write them, each in every order of up to three encodings: a line for each, with the secret, the text
(both in hex) and the names of the encodings, the first one first."""
import html
import itertools
import json
import urllib.parse

SECRETS = [
    'Hunter"22', "Hunter\\22", "Hunter\\\\22", "Hunt/er22", "Hunter'22", "Hünter22", "Hun ter&22", "Hun%ter22", "Hun\tter22", "Hun\x1b\nter", "<Hunter22>",
    '"Hunter22', 'Hunter22"', "Hunter22\\", "\\Hunter22", 'Hun""ter', "100%25&amp;", "&quot;%5C\\u00fc", "50% + 3€;#", "key😀🦄key", "\\\\\\\\", "ünïcödé", "\\n\n\\\\n",
    'eyJ"' * 15 + "+/é\\" * 12,
]


def web_json(text):
    """JSON that is safe within HTML, as Go and Rails write it."""
    text = json.dumps(text, ensure_ascii=False)[1:-1]
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


ENCODINGS = {
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "ascii json": lambda text: json.dumps(text)[1:-1],
    "json with \\/": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json for html": web_json,
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "html": html.escape,
    "html in numbers": lambda text: "".join(c if c.isascii() and c.isalnum() else f"&#{ord(c)};" for c in text),
    "utf-8 as latin-1": lambda text: text.encode().decode("latin-1"),
}

for secret in SECRETS:
    for names in (names for length in range(4) for names in itertools.product(ENCODINGS, repeat=length)):
        text = secret
        for name in names:
            text = ENCODINGS[name](text)
        print(secret.encode().hex(), text.encode().hex(), ", ".join(names))
