"""A page of facejobs as a test reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br", "hr"}


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    path: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Reads a page strictly: every element is closed in order, no attribute and no id stands twice."""

    source: str
    nodes: list[Node] = field(default_factory=list)
    open_nodes: list[Node] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()
        assert not self.open_nodes, f"never closed: {self.open_nodes[-1].tag}"
        ids = [node.attributes["id"] for node in self.nodes if "id" in node.attributes]
        assert len(ids) == len(set(ids))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"doubled attribute in {tag}"
        path = tuple(node.tag for node in self.open_nodes)
        node = Node(tag, {name: value or "" for name, value in attrs}, path)
        self.nodes.append(node)
        if tag not in VOID:
            self.open_nodes.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert "svg" in [node.tag for node in self.open_nodes], f"self-closed {tag} outside of SVG"
        self.handle_starttag(tag, attrs)
        self.open_nodes.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open_nodes and self.open_nodes[-1].tag == tag, f"</{tag}> closes {self.open_nodes[-1:]}"
        self.open_nodes.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open_nodes:
            node.text += data

    def all(self, tag: str, **attributes: str) -> list[Node]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [node for node in self.nodes if node.tag == tag and wanted.items() <= node.attributes.items()]

    def within(self, identifier: str) -> str:
        node = next(node for node in self.nodes if node.attributes.get("id") == identifier)
        return " ".join(node.text.split())
