"""HTML made from Jinja2 templates that lie beside the feature that shows them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import streamlit as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parents[1]),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rendered(template: str, /, **values: object) -> str:
    """The HTML of a template; every value that is put in is escaped.

    Args:
        template: file below `app`, such as `history/templates/record.html`.
        values: names in the template. A name that is missing is an error.
    """
    return _environment().get_template(template).render(values)


def draw_html(template: str, /, **values: object) -> None:
    """Draw a template where the page is now."""
    st.html(rendered(template, **values))


def draw_facts(facts: Mapping[str, str]) -> None:
    """Draw names and values, one a line; empty values are left out."""
    draw_html("shared/facts.html", facts=facts)


def draw_welcome(title: str, said: str = "") -> None:
    """Draw the title, and what to do, of a page that has nothing to show yet."""
    draw_html("shared/welcome.html", title=title, said=said)


def draw_said(said: str, *, style: str = "rk-said") -> None:
    """Draw the line about the last action, if there is one, with a CSS class."""
    if said:
        draw_html("shared/said.html", said=said, style=style)
