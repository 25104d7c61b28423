import pytest
from jinja2 import Environment, FileSystemLoader, UndefinedError

from app.shared import templates


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Puts the text of a template where the environment looks, and returns its name."""
    environment = templates._environment().overlay(loader=FileSystemLoader(tmp_path))
    assert isinstance(environment, Environment)
    monkeypatch.setattr(templates, "_environment", lambda: environment)

    def write(text: str) -> str:
        (tmp_path / "one.html").write_text(text, encoding="utf-8")
        return "one.html"

    return write


def test_values_are_escaped(template):
    assert templates.rendered(template("<b>{{ said }}</b>"), said='<i title="x">') == (
        "<b>&lt;i title=&#34;x&#34;&gt;</b>"
    )


def test_a_value_that_is_missing_is_an_error(template):
    with pytest.raises(UndefinedError):
        templates.rendered(template("{{ said }}"))


def test_lines_that_hold_only_a_statement_leave_nothing_behind(template):
    text = "<p>\n  {% for one in words %}\n<b>{{ one }}</b>\n  {% endfor %}\n</p>"
    assert templates.rendered(template(text), words="ab") == "<p>\n<b>a</b>\n<b>b</b>\n</p>"
