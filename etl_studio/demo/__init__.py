"""A small web shop and its API on loopback, with faults that can be dialled."""

from etl_studio.demo.faults import Faults
from etl_studio.demo.site import DemoSite, LoggedRequest

__all__ = ["DemoSite", "Faults", "LoggedRequest"]
