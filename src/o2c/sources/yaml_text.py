"""YAML in which every scalar stays the text that was written."""

import yaml


class _TextLoader(yaml.BaseLoader):
    """Every scalar stays the text that was written (``007``, ``NO``, ``2020-01-01``); a key given twice is a fault."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.faults: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set[str] = set()
        merged = [pair for key, value in node.value if key.value == "<<" for pair in self._pairs(value)]
        node.value = [pair for pair in node.value if pair[0].value != "<<"]
        for key, _ in node.value:
            name = str(self.construct_object(key, deep=True))
            if name in seen:
                self.faults.append(
                    f"line {key.start_mark.line + 1}: {name!r} is given twice; two columns cannot be mapped onto one"
                )
            seen.add(name)
        node.value = [pair for pair in merged if pair[0].value not in seen] + node.value
        return super().construct_mapping(node, deep)

    @staticmethod
    def _pairs(node: yaml.Node) -> list:
        """What ``<<`` brings in: the pairs of a mapping that is named elsewhere."""
        if not isinstance(node, yaml.MappingNode):
            raise yaml.MarkedYAMLError(problem="<< must name one mapping", problem_mark=node.start_mark)
        return list(node.value)


def read_yaml(text: str) -> tuple[object, list[str]]:
    loader = _TextLoader(text)
    try:
        return loader.get_single_data(), loader.faults
    finally:
        loader.dispose()
