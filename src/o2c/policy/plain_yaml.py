"""YAML without surprises: NO is Norway and not false, 08:00 is text and not 480, 0.10 is exact, keys stand once."""

import re
from decimal import Decimal
from typing import Any

import yaml
from yaml.constructor import ConstructorError


class PlainLoader(yaml.SafeLoader):
    """Reads null, true, false, whole numbers, decimals and text; nothing else is guessed."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (as in the base class)


def _mapping(loader: PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    content: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int):
            raise ConstructorError(None, None, f"{key!r} is no key", key_node.start_mark)
        if key in content:
            raise ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
        content[key] = loader.construct_object(value_node, deep=True)
    return content


def _decimal(loader: PlainLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


PlainLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
PlainLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789")
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)?\.[0-9]+$"), list("-.0123456789")
)
PlainLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
PlainLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
