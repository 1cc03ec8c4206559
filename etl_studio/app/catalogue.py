"""The node types of this installation: the built-in ones, then those of plug-ins."""

from __future__ import annotations

import pkgutil
from functools import partial
from importlib import import_module
from inspect import isabstract

from etl_studio import nodes
from etl_studio.sdk import Node, Registry


def full_registry() -> Registry:
    """Built-in types and those of plug-ins. A type is imported when it is asked for.

    Each module of ``etl_studio.nodes`` is called as the type that it holds; those that only help one begin with ``_``.
    """
    modules = [info.name for info in pkgutil.walk_packages(nodes.__path__, f"{nodes.__name__}.") if not info.ispkg]
    types = {name.rpartition(".")[2]: partial(_node_type, name) for name in modules if "._" not in name}
    return Registry(lazy=types, plugins=True)


def built_in_types() -> list[type[Node]]:
    """Every node class of ``etl_studio.nodes``, sorted by name."""
    registry = full_registry()
    return [node_type for node_type in registry if node_type.__module__.startswith(f"{nodes.__name__}.")]


def _node_type(module_name: str) -> type[Node] | None:
    """The node class of a module."""
    module = import_module(module_name)
    return next(
        (
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Node)
            and value.__module__ == module_name
            and not isabstract(value)
        ),
        None,
    )
