"""From a trained model to all that can be chosen of it, and from a choice back to a model."""

from __future__ import annotations

from autodpq_budget.by_groups import means
from autodpq_budget.menu import Menu, menu
from autodpq_budget.sensitivity import sensitivities
from autodpq_budget.tables import Table
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.config import RunConfig
from autodpq_lib.models.build import assemble
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_packed.container import Tensors
from autodpq_packed.export import vectors
from autodpq_packed.grouped import order


def menu_of(model: CTRModel, schema: Schema, train: Samples) -> Menu:
    """All that can be chosen of a trained model: any that this suite has. Half a minute on MovieLens-1M.

    Args:
        model: put into evaluation mode.
        schema: of the data that it was trained on.
        train: its training part, from which it is estimated how much an error matters.
    """
    found = sensitivities(model, train)
    tables = {name: Table(vectors(getattr(model, name), schema).numpy(), found[name]) for name in found}
    counts = schema.counts.numpy()
    return menu(tables, schema.sizes, counts, order(schema.sizes, counts))


def on_groups(config: RunConfig, schema: Schema, model: CTRModel, tensors: Tensors) -> CTRModel:
    """The model with its tables in the place of its own: those of :meth:`Menu.tensors`."""
    tables = dict(zip(("embedding", "first_order"), means(schema, config.embedding_dim, config.model), strict=False))
    for name, table in tables.items():
        table.fill({key.removeprefix(f"{name}."): array for key, array in tensors.items() if key.startswith(name)})
    made = assemble(config, len(schema.fields), *tables.values())
    rest = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith(tuple(tables))}
    made.load_state_dict(made.state_dict() | rest)
    return made.eval()
