"""Well-formed inputs to begin with, and the words of their languages."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [path.read_bytes() for path in sorted((ROOT / "resources" / "examples").rglob("*.yaml"))]

CSV = [
    b'id,name,price,day\n1,Tea,2.50,2026-11-23\n2,"Cof, fee",3,2026-11-24\n3,,,\n',
    b"id;at;paid\r\n1;2026-11-23 10:00:00;true\r\n2;2026-11-24T11:30;false\r\n",
    b"a\tb\n1\t2\n3\t4\n",
    b'text,more\n"two\nlines","a ""quoted"" word"\nplain,""\n',
    b"sep=;\na;b\n1;2\n",
    b"one\n1\n2\n\n3\n",
    "stadt|größe\nKöln|1\nMünchen|2,5\n".encode(),
    b"a,b,c\n" + b"".join(b"%d,word %d,%d.5\n" % (number, number, number) for number in range(300)),
    b"a,a,A,,\n1,2,3,4,5\n",
]
CSV_TOKENS = [
    b",", b";", b"\t", b"|", b'"', b'""', b'"\n', b'\n"', b'","', b"\n", b"\r\n", b"\r", b"\n\n", b"sep=,\n", b"a,",
    b"'", b"1", b"0.5", b"true", b"2026-02-30", b"10:61", b"x",
]  # fmt: skip

_RECORDS = [
    {"id": 1, "name": "Tea", "price": 2.5, "in_stock": True, "tags": ["a", "b"], "supplier": {"name": "X", "no": 7}},
    {"id": 2, "name": "Köln \ud83e\udd26 \u2028", "price": None, "in_stock": False, "tags": [], "supplier": None},
    {"id": 3, "name": "", "price": 3, "in_stock": None, "tags": None, "supplier": {}},
]
_FLAT = [
    {"id": number, "text": f"word {number}", "share": number / 3, "even": number % 2 == 0} for number in range(300)
]
JSON = [
    json.dumps(_RECORDS).encode(),
    json.dumps(_RECORDS, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    json.dumps({"data": {"items": _RECORDS}, "next": None}).encode(),
    json.dumps(_RECORDS[0]).encode(),
    json.dumps(_FLAT, indent=1).encode(),
    b"[]",
    b'[1, 2.5, "x", null, {}, []]',
]
NDJSON = [
    b"".join(json.dumps(record).encode() + b"\n" for record in _RECORDS),
    b"".join(json.dumps(record).encode() + b"\n" for record in _FLAT),
    b"".join(json.dumps({"data": {"items": [record]}}).encode() + b"\r\n" for record in _RECORDS),
    b"".join(json.dumps({"id": number, "price": number / 4}).encode() + b"\n" for number in range(40)),
]
JSON_TOKENS = [
    b"{", b"}", b"[", b"]", b"[[", b'{"a":', b'{"a":[', b"},", b",", b":", b'"', b'"a"', b'"id"', b"null", b"true",
    b"NaN", b"Infinity", b"1e400", b"-", b"01", b"1.", b"0.1", b"9007199254740993", b"18446744073709551616",
    b"9" * 4301, b"\\u0000", b'"\\ud800"', b'"\\ud800":1,', b"\\", b"\\x", b"//", b"\n", b"\n\n", b" ", b"\r\n",
]  # fmt: skip

_SHOP = """<!DOCTYPE html>
<html><head><title>Shop &amp; more</title><meta charset="utf-8"><base href="/shop/"></head><body>
{cards}
<a class="next" href="?page=2">next</a><script>var x = "<div class=card>";</script></body></html>"""
_CARD = (
    '<div class="card"><h2><a href="/p/{0}">Product {0}</a></h2>'
    '<span class="price">£{0}.50</span><img src=i{0}.png></div>'
)


def shop(cards: int) -> bytes:
    """A page with so many cards."""
    return _SHOP.format(cards="\n".join(_CARD.format(number) for number in range(cards))).encode()


HTML = [
    shop(3),
    shop(60),
    shop(0),
    b"<table><tr class=card><td><h2>a<td class=price>1<tr class=card><td><h2>b</table>",
    b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p class="card">x</p></body></html>',
    b"<div class=card>no end",
    b"",
    b"just a text",
]
HTML_TOKENS = [
    b"<", b">", b"</", b"/>", b"<div class=card>", b"</div>", b"<a href='", b'<a class="next" href="http://[">',
    b"<table>", b'<a class="next" href="//">', b'<a class="next" href="http://a:b/">',
    b'<a class="next" href="?page=3">', b"<tr>", b"<td>", b"<p>", b"<b>", b"<i>", b"<font>", b"<form>", b"<select>",
    b"<svg>", b"<math>", b"<template>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE html [<!ENTITY a 'b'>]>",
    b"&", b"&#0;", b"&#xD800;", b"&#1114112;", b"&lt;", b"&nope;", b"<?php", b"?>", b"<script>", b"<style>",
    b"<textarea>", b"<title>", b"<plaintext>", b"<frameset>", b"<base href='http://['>", b"<meta charset=",
    b"<meta charset=utf-16>", b"<meta charset=hex>", b"<meta charset=undefined>", b"<meta charset=idna>",
    b"<meta charset=utf-7>", b"<meta charset=shift_jis>",
    b"<meta http-equiv=content-type content='text/html; charset=nope'>", b" x=", b"='", b'="', b" class=card",
]  # fmt: skip
CONTENT_TYPES = [
    "text/html", "text/html; charset=utf-8", "text/html; charset=cp1252", "text/html; charset=utf-16",
    "text/html; charset=hex", "text/html; charset=undefined", "text/html; charset=punycode", "text/html;charset=", "",
    "application/xhtml+xml", "text/plain", "application/json", "text/html; charset=rot13",
    "text/html; charset=unicode_escape", ";", "text/html; charset=utf-8; charset=x",
]  # fmt: skip

PIPELINES = [
    *EXAMPLES,
    b"""# a comment
etl_studio: 1
name: orders
parameters:
  least: {type: integer, default: 3}
  day: {type: date, default: '2026-01-31', description: a day}
nodes:
  read:
    type: csv_source
    title: The orders  # kept
    config: {path: orders.csv, columns: {id: integer}}
    policy:
      retry: {attempts: 2, delay: 0.5}
  keep:
    type: filter
    config:
      where: |
        quantity > ${least}
        AND day <> ${day}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: merge, key: [id]}}
wires:
- read -> keep
- keep -> save
layout:
  read: [0, 0]
  keep: [200, 10.5]
""",
    b"""etl_studio: 1
nodes:
  pages: {type: web_page_source, config: {urls: [http://127.0.0.1/x], item: .card, fields: {name: "h2::text"}}}
  left: {type: rest_source, config: {url: "http://127.0.0.1/${secret:path}"}}
  both: {type: join, config: {how: left, on: [id]}}
  check: {type: validate, config: {rules: [{column: id, rule: unique}, {column: q, rule: range, min: 1}]}}
  query: {type: sql, config: {query: "SELECT * FROM input WHERE a = '${x}'"}}
  out: {type: csv_sink, config: {path: out.csv}}
wires: [pages -> both.left, left -> both.right, both -> check, check -> query, query -> out, check.rejects -> out]
x_more: {kept: [1, two, {three: 3.0}]}
""",
]
PIPELINE_TOKENS = [
    b": ", b"- ", b"\n", b"\n  ", b"\n    ", b"{", b"}", b"[", b"]", b", ", b"#", b" #", b"&a ", b"*a", b"<<: ",
    b"!!python/object:os.system ", b"!!binary ", b"!t ", b"|\n", b">-\n", b"|2\n", b"? ", b"---\n", b"...\n",
    b"%YAML 1.2\n", b"'", b'"', b"\t", b"\\x", b"\\ud800", b"0x" + b"f" * 6000, b"9" * 400, b"9" * 5000, b".inf",
    b".nan", b"1e999", b"~", b"null", b"yes", b"true", b"2026-01-31", b"${", b"${x}", b"$${", b"${secret:}",
    b"${env:HOME}", b" -> ", b"read -> keep\n- ", b"keep -> read\n- ", b"read.rejects", b"etl_studio: 1\n",
    b"nodes:\n", b"wires:\n", b"layout:\n", b"parameters:\n", b"type: ", b"config: ", b"policy: ",
    b"  n: {type: filter}\n", b"  r\xc3\xa9: {type: x}\n", b"  \xf0\x9d\x95\x96: {type: x}\n", b"filter",
    b"csv_source", b"where: ((((((((1", b"where: ", b"'; DROP TABLE x; --", b"SELECT ", b"(", b")",
    b"[[[[[[[[[[[[[[[[[[[[", b"{a: {a: {a: {a: ", b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", b"key: [", b"id, ",
]  # fmt: skip
