"""The node types of this installation: the built-in ones, then those of plug-ins."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import isabstract

from etl_studio import nodes
from etl_studio.sdk import Node, Registry


def built_in_types() -> list[type[Node]]:
    """Every node class of ``etl_studio.nodes``, found by looking at its modules; sorted by name."""
    found: list[type[Node]] = []
    for module_info in pkgutil.walk_packages(nodes.__path__, f"{nodes.__name__}."):
        module = import_module(module_info.name)
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Node)
            and value.__module__ == module.__name__
            and not isabstract(value)
        ]
    return sorted(found, key=lambda node_type: node_type.type)


def full_registry() -> Registry:
    """Built-in types and those of plug-ins; a broken plug-in is listed in ``failed``."""
    registry = Registry(built_in_types())
    registry.add_plugins()
    return registry
