"""`gv settings`: every setting with its default and meaning, as the README prints them."""

import click

from shared.config import PREFIX, Settings


@click.command()
def settings() -> None:
    """Print every setting as a Markdown table."""
    click.echo(settings_table())


def settings_table() -> str:
    """A Markdown table of all settings: name, default, meaning."""
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = f"`{field.default}`" if field.default != "" else "(empty)"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
