"""YAML as a rule file may use it: no key twice, no aliases, not too large."""

from typing import Any

import yaml

MAX_CHARACTERS = 200_000


class StrictLoader(yaml.SafeLoader):
    """The safe loader, refusing what a reader of the file could miss."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next node; an alias, which could repeat without end, is an error."""
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(
                None, None, "found an alias (*): write the values out", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping; a key that stands there twice is an error."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"found {key!r} twice", key_node.start_mark
                )
            seen.add(key if isinstance(key, str) else repr(key))
        return super().construct_mapping(node, deep=deep)


def load_yaml(text: str) -> Any:
    """The plain values in `text`.

    Raises:
        ValueError: not YAML, too large or too deeply nested; one line that says where.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"expected at most {MAX_CHARACTERS} characters, got {len(text)}")
    try:
        return yaml.load(text, Loader=StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f", line {mark.line + 1}"
        raise ValueError(f"not YAML{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {str(error).splitlines()[0]}") from error
    except (RecursionError, ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"not YAML: {type(error).__name__}") from error
