"""Who may deliver, and what the bodies hold."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from etl_studio.nodes.extract._webhook_bodies import kind_of, values
from etl_studio.nodes.extract._webhook_checks import HmacCheck, NoCheck, TokenCheck

BODY, NOW = b'{"a": 1}', 1_700_000_000.0


def signed(text, algorithm="sha256", secret=b"key"):
    return hmac.new(secret, text, algorithm)


STRIPE = {"header": "Stripe-Signature", "prefix": "v1=", "timestamp_header": "stripe-signature",
          "signed": "{timestamp}.{body}"}  # fmt: skip
SLACK = {"header": "X-Slack-Signature", "prefix": "v0=", "timestamp_header": "X-Slack-Request-Timestamp",
         "signed": "v0:{timestamp}:{body}"}  # fmt: skip
STANDARD = {"header": "webhook-signature", "prefix": "v1,", "timestamp_header": "webhook-timestamp",
            "id_header": "webhook-id", "signed": "{id}.{timestamp}.{body}", "encoding": "base64"}  # fmt: skip


def stripe(at=NOW, text=None):
    right = signed(f"{at:.0f}.".encode() + (text or BODY)).hexdigest()
    return {"Stripe-Signature": f"t={at:.0f},v1={'0' * 64},v1={right},v0=x"}


def slack(at=NOW):
    right = signed(f"v0:{at:.0f}:".encode() + BODY).hexdigest()
    return {"X-Slack-Signature": f"v0={right}", "X-Slack-Request-Timestamp": f"{at:.0f}"}


def standard(at=NOW, name="msg_1"):
    right = base64.b64encode(signed(f"{name}.{at:.0f}.".encode() + BODY).digest()).decode()
    return {"webhook-signature": f"v1,AAAA v1,{right}", "webhook-timestamp": f"{at:.0f}", "webhook-id": "msg_1"}


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({}, {"X-Hub-Signature-256": "sha256=" + signed(BODY).hexdigest()}),
        ({"algorithm": "sha1", "prefix": "sha1="}, {"X-Hub-Signature-256": "sha1=" + signed(BODY, "sha1").hexdigest()}),
        ({"algorithm": "sha512", "prefix": ""}, {"X-Hub-Signature-256": signed(BODY, "sha512").hexdigest()}),
        (STRIPE, stripe()),
        (SLACK, slack()),
        (STANDARD, standard()),
    ],
)
def test_signatures_as_the_known_senders_write_them_are_right(settings, headers):
    assert HmacCheck(secret="key", **settings).why_not(headers, BODY, NOW + 299) is None
    assert HmacCheck(secret="other", **settings).why_not(headers, BODY, NOW) == "the signature is wrong"
    assert HmacCheck(secret="key", **settings).why_not(headers, BODY + b" ", NOW) == "the signature is wrong"


@pytest.mark.parametrize(
    ("settings", "headers", "why"),
    [
        ({}, {}, "the header X-Hub-Signature-256 is missing"),
        ({}, {"X-Hub-Signature-256": "sha256=äö"}, "the signature is wrong"),
        ({}, {"X-Hub-Signature-256": "sha256="}, "the signature is wrong"),
        ({}, {"X-Hub-Signature-256": hashlib.sha256(BODY).hexdigest()}, "the signature is wrong"),
        (STRIPE, stripe(at=NOW - 301), "the time of the delivery is too far off"),
        (STRIPE, stripe(at=NOW + 301), "the time of the delivery is too far off"),
        (STRIPE, {"Stripe-Signature": "v1=00"}, "the time of the delivery is missing"),
        (SLACK, {**slack(), "X-Slack-Request-Timestamp": "nan"}, "the time of the delivery is too far off"),
        (SLACK, {**slack(), "X-Slack-Request-Timestamp": f"{NOW + 1:.0f}"}, "the signature is wrong"),
        (STANDARD, standard(name="msg_2"), "the signature is wrong"),
    ],
)
def test_what_is_not_signed_as_it_should_be_is_refused(settings, headers, why):
    assert HmacCheck(secret="key", **settings).why_not(headers, BODY, NOW) == why


def test_signatures_are_compared_in_a_time_that_tells_nothing(monkeypatch):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append(1) or real(one, other))
    HmacCheck(secret="key").why_not({"X-Hub-Signature-256": "sha256=" + "0" * 64}, BODY, NOW)
    TokenCheck(token="key").why_not({"Authorization": "Bearer no"}, BODY, NOW)
    assert len(compared) == 2


def test_a_token_stands_in_its_header():
    check = TokenCheck(token="s3cret")
    assert check.why_not({"Authorization": "Bearer s3cret"}, b"", NOW) is None
    assert check.why_not({"Authorization": "s3cret"}, b"", NOW) is None
    assert check.why_not({"Authorization": "s3cre"}, b"", NOW) == "the token is wrong"
    assert check.why_not({}, b"", NOW) == "the header Authorization is missing"
    assert NoCheck().why_not({}, b"", NOW) is None


def test_secrets_are_in_no_representation():
    assert "s3cret" not in repr(TokenCheck(token="s3cret")) + repr(HmacCheck(secret="s3cret"))


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", "json"), ("Application/JSON; charset=utf-8", "json"), ("application/hal+json", "json"),
        ("application/x-ndjson", "ndjson"), ("application/x-www-form-urlencoded", "form"), ("text/plain", None),
        ("multipart/form-data", None), ("", None),
    ],
)  # fmt: skip
def test_a_content_type_says_how_a_body_is_read(content_type, kind):
    assert kind_of(content_type) == kind


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        ("json", b'[{"a": 1}]', [[{"a": 1}]]),
        ("ndjson", b'{"a": 1}\n\n{"a": "\xe2\x80\xa8"}\r\n', [{"a": 1}, {"a": "\u2028"}]),
        ("form", b"a=1&b=x+y&b=%C3%A4&c=", [{"a": "1", "b": ["x y", "ä"], "c": ""}]),
    ],
)
def test_bodies_are_read(kind, body, found):
    assert values(kind, body) == found


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("json", b""), ("json", b"{"), ("json", b"NaN"), ("json", b"\xff"), ("json", b"[" * 100_000),
        ("ndjson", b'{"a": 1}\n{'), ("form", b"&".join(b"a%d=1" % n for n in range(2_000))), ("form", b"\xff"),
    ],
)  # fmt: skip
def test_a_damaged_body_is_told_of(kind, body):
    with pytest.raises(ValueError, match=r"."):
        values(kind, body)
