"""`gv models`: the networks and classifiers that the product uses; one module a verb."""

from importlib import import_module

import click

VERBS = {
    "list": ("scripts.cli.models_list", "list_models"),
    "fetch": ("scripts.cli.models_fetch", "fetch_models"),
    "agree": ("scripts.cli.models_agree", "agree"),
    "train": ("scripts.cli.models_text", "train"),
    "evaluate": ("scripts.cli.models_text", "evaluate"),
    "features": ("scripts.cli.models_text", "features"),
}


class ModelVerbs(click.Group):
    """Loads a verb's module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; None for a word that is no verb."""
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=ModelVerbs)
def models() -> None:
    """The models: which networks there are, and how the text models are trained and measured."""
