"""From a trained model to all that can be chosen of it, and from a choice back to a model."""

from __future__ import annotations

import numpy as np

from autodpq_budget.by_groups import STORED, dims_of_model, means
from autodpq_budget.check_arguments import expect
from autodpq_budget.check_arrays import LARGEST
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

    Raises:
        ValueError: a table has numbers beyond :data:`~autodpq_budget.check_arrays.LARGEST`, half of float16's maximum.
    """
    found = sensitivities(model, train)
    tables = {name: Table(vectors(getattr(model, name), schema).numpy(), found[name]) for name in found}
    for name, table in tables.items():
        largest = float(np.abs(table.rows).max())
        expect(largest <= LARGEST, f"run.model: {name}", f"numbers of at most {LARGEST}", largest)
    counts = schema.counts.numpy()
    return menu(tables, schema.sizes, counts, order(schema.sizes, counts))


def on_groups(config: RunConfig, schema: Schema, model: CTRModel, tensors: Tensors) -> CTRModel:
    """A copy of the model, in evaluation mode, whose tables are those that :meth:`Menu.tensors` gave."""
    dim, model_name = config.embedding_dim, config.model
    tables = dict(zip(dims_of_model(dim, model_name), means(schema, dim, model_name), strict=True))
    for name, table in tables.items():
        table.fill({key: tensors[f"{name}.{key}"] for key in STORED})
    made = assemble(config, len(schema.fields), *tables.values())
    rest = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith(tuple(tables))}
    made.load_state_dict(made.state_dict() | rest)
    return made.eval()
