"""Settings of a crawl in a browser: those of a crawl, and what is done on each page before it is read."""

from __future__ import annotations

import re
from typing import Literal, Self, TypeAlias

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.nodes.extract._crawl_settings import POLITENESS, REQUESTS, CrawlSettings
from etl_studio.sdk.auth import ApiKeyAuth, BasicAuth, BearerAuth, NoAuth, auth_setting

Doing = Literal["click", "scroll", "fill", "select", "press", "wait"]

BrowserAuth: TypeAlias = NoAuth | BasicAuth | BearerAuth | ApiKeyAuth
BROWSER = "Browser"
NEEDS_SELECTOR = ("click", "fill", "select")
NEEDS_TEXT = ("fill", "select", "press")


class Action(sdk.Config):
    """Something that is done on a page before it is read."""

    do: Doing = sdk.setting(
        title="Do",
        description="Click an element, scroll to the end, fill in a field, select an option, press a key, or wait.",
        example="click",
    )
    selector: str = sdk.setting(
        "",
        title="Where",
        description="CSS, XPath, or text= and what is written on it. To scroll: the element; empty: the page. To wait: "
        "what must be there.",
        example="button.more",
    )
    text: str = sdk.setting(
        "",
        title="Text",
        description="What is filled in or selected, or the key, such as Enter.",
        example="Enter",
        only_when={"do": ["fill", "select", "press"]},
    )
    times: int = sdk.setting(
        1,
        title="Times",
        description="Most clicks: it goes on as long as the element is there and the page grows.",
        ge=1,
        le=10_000,
        only_when={"do": ["click", "scroll"]},
    )
    seconds: float = sdk.setting(
        0.0,
        title="Seconds",
        description="How long to wait where no element is named; for a click and scrolling, how long the page may "
        "take to grow.",
        ge=0,
        le=600,
    )
    required: bool = sdk.setting(
        False,
        title="Must succeed",
        description="Reject the page where the element does not come. Otherwise the action is left out there.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.do in NEEDS_SELECTOR and not self.selector:
            raise ValueError(f"selector: {self.do} needs the selector of an element")
        if self.do in NEEDS_TEXT and not self.text and self.do != "fill":
            raise ValueError(f"text: {self.do} needs a {'key, such as Enter' if self.do == 'press' else 'text'}")
        if self.do == "wait" and not self.selector and not self.seconds:
            raise ValueError("selector: say what to wait for, or how many seconds")
        return self


class BrowserSettings(CrawlSettings):
    """Where a crawl begins, how far it goes, what it takes, and what a browser does on each page."""

    wait_for: str = sdk.setting(
        "",
        title="Wait for",
        description="Selector of an element that must be there before a page is read; a page without it is rejected.",
        example=".card",
    )
    actions: list[Action] = sdk.setting(
        [],
        title="Actions",
        description="What is done on each page before it is read, in this order.",
        example=[{"do": "click", "selector": "button.more", "times": 50}, {"do": "scroll", "times": 20}],
    )
    accept_cookies: bool = sdk.setting(
        False,
        title="Accept cookies",
        description="Agree in the cookie banners that are common; for others, add a click to the actions.",
        section=BROWSER,
    )
    wait_until: Literal["parsed", "loaded", "quiet"] = sdk.setting(
        "loaded",
        title="Wait until",
        description="The page is parsed, loaded with all it names, or quiet: half a second without a request. A page "
        "that does not come to an end in time is read as it is then.",
        section=BROWSER,
    )
    timeout: float = sdk.setting(
        30.0,
        title="Patience",
        description="Seconds in which a page must load, and in which an element must come.",
        gt=0,
        le=600,
        section=BROWSER,
    )
    load: Literal["everything", "no_media", "no_styles"] = sdk.setting(
        "no_media",
        title="Load",
        description="Everything; no media: no images, fonts, sound and film; or no style sheets, either. Less is "
        "faster, and gives the same texts on most sites.",
        section=BROWSER,
    )
    browser: str = sdk.setting(
        "",
        title="Browser",
        description="Name or path of a Chromium, Chrome or Edge; empty: the one that is found.",
        example="chromium",
        section=BROWSER,
    )
    headless: bool = sdk.setting(
        True, title="Without a window", description="Show no window of the browser.", section=BROWSER
    )
    viewport: str = sdk.setting(
        "1280x900",
        title="Size",
        description="Width and height of a page in pixels.",
        example="1280x900",
        pattern=r"^[1-9]\d{1,3}x[1-9]\d{1,3}$",
        section=BROWSER,
    )
    locale: str = sdk.setting(
        "",
        title="Language",
        description="Language that pages are asked for.",
        example="de-DE",
        pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$",
        section=BROWSER,
    )
    concurrency: int = sdk.setting(
        3,
        title="At once",
        description="Tabs that are open for one host.",
        ge=1,
        le=32,
        section=POLITENESS,
    )
    sent_as: str = sdk.setting(
        "",
        title="Sent user agent",
        description="What sites are told; empty: that of the browser, with the crawler's name and contact behind it.",
        section=POLITENESS,
    )
    auth: BrowserAuth = auth_setting(
        description="How the site knows who asks; sent to the hosts of the start addresses alone. A form is filled in "
        "by actions.",
        section=REQUESTS,
    )
    set_cookies: dict[str, str] = sdk.setting(
        {},
        title="Cookies",
        description="Set for the hosts of the start addresses before the first page.",
        example={"consent": "yes"},
        section=REQUESTS,
    )

    @field_validator("auth")
    @classmethod
    def _in_a_header(cls, value: BrowserAuth) -> BrowserAuth:
        if isinstance(value, ApiKeyAuth) and value.send_in == "query":
            raise ValueError("a browser sends the key in a header only; write it into the start address otherwise")
        return value

    @field_validator("sent_as")
    @classmethod
    def _one_line_sent(cls, value: str) -> str:
        if not re.fullmatch(r"[\x20-\x7e]*", value):
            raise ValueError("must be one line of plain ASCII, as it is sent in a header")
        return value
