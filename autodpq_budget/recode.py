"""Choose codes anew: each feature takes those that lower a quadratic model of the loss.

Codes were first chosen by the size of their errors, not by whether an error raises or lowers the loss. A sample has one
feature of each field. So with all other fields held fixed, the loss is a sum of terms, one for each of the field's
features. If the vector and the first-order weight of a feature change by d, its term is, to second order,

    L(d) = L(0) + g'd + d'Hd / 2,    g = sum_s (p_s - t_s) J_s,    H = sum_s p_s (1 - p_s) J_s J_s'

over the samples s that have it: p is the model's probability, t the target, J the gradient of the logit by both. H is
the Gauss-Newton matrix: it takes the logit for linear in d, as that of DeepFM and PNN is between the kinks of ReLU.

Fields take turns, and so do the codes of a feature, once each (iterated conditional modes: Besag, 1986). Nagel et al.
(2020) and Frantar, Singh and Alistarh (2022) round weights by such a quadratic, layer by layer and with g = 0, which
holds at an optimum; a compressed model is at none. That codes and numbers take turns on the loss of the whole model
(:mod:`autodpq_budget.fine_tune`) is also how PV-Tuning goes (Malinovskii et al., 2024).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from autodpq_budget.by_groups import ByGroups, Choices
from autodpq_budget.outputs import outputs_of
from autodpq_data.samples import Samples
from autodpq_data.schema import Schema
from autodpq_lib.models.ctr_model import CTRModel
from autodpq_lib.training.metrics import predict

#: Samples at a time.
BATCH = 16_384


def recode(model: CTRModel, teacher: CTRModel, schema: Schema, train: Samples) -> None:
    """Let all codes move once, field by field.

    It takes memory for about n (2 (X + 1)^2 + 4 K) numbers: n features of the largest field, K values of a code.

    Args:
        model: on groups (:class:`~autodpq_budget.by_groups.ByGroups`); put into evaluation mode.
        teacher: its probabilities are the targets.
        schema: the data set's fields.
        train: the training part.
    """
    tables, targets = tables_of(model), predict(teacher, train).sigmoid().to(train.labels.device)
    for m, offset in enumerate(schema.offsets):
        there = {group: [table.choices(group) for table in tables] for group in tables[0].of_field(m)}
        if not any(one.codes.numel() for choices in there.values() for one in choices):
            continue
        g, h = slopes(model, targets, schema, train, m)
        made = {}
        for group, choices in there.items():
            own = tables[0].members(group) - offset
            made[group] = better(choices, g[own], h[own])
        for n, table in enumerate(tables):
            table.recode({group: codes[n] for group, codes in made.items()})


def tables_of(model: CTRModel) -> list[ByGroups]:
    """The tables of a model on groups: embedding and, where it has them, first-order weights."""
    return [table for table in (model.embedding, model.first_order) if isinstance(table, ByGroups)]


def slopes(model: CTRModel, targets: Tensor, schema: Schema, train: Samples, m: int) -> tuple[Tensor, Tensor]:
    """The g ``[n, Z]`` and H ``[n, Z, Z]`` of field m's n features; Z is X and, with first-order weights, one more.

    The targets are probabilities ``[rows]``, one for each sample of the training part.
    """
    tables = tables_of(model.eval())
    n, z, where = schema.sizes[m], sum(table.dim for table in tables), tables[0].numbers.device
    g, h = torch.zeros(n, z, device=where), torch.zeros(n, z, z, device=where)
    with outputs_of(tables) as vectors:
        for chunk in torch.arange(len(train), dtype=torch.int32, device=where).split(BATCH):
            ids, _ = train.take(chunk)
            logits, places = model(ids), ids[:, m].long() - schema.offsets[m]
            j = torch.cat([part[:, m] for part in torch.autograd.grad(logits.sum(), vectors)], dim=1)  # [B, Z]
            with torch.no_grad():
                p = logits.sigmoid()
                g.index_add_(0, places, (p - targets[chunk])[:, None] * j)
                h.index_add_(0, places, (p * (1 - p))[:, None, None] * j[:, :, None] * j[:, None, :])
    return g, h


def better(tables: Sequence[Choices], g: Tensor, h: Tensor) -> list[Tensor]:
    """New codes of a group's n features, one part after the other; a code stays where no other is better.

    Args:
        tables: what there is to choose from in each.
        g: ``[n, Z]``, Z dimensions of all tables side by side.
        h: ``[n, Z, Z]``.
    """
    g, start, made = g.clone(), 0, []
    for codes, values, dim in tables:
        new = codes.clone()
        for d, (own, old) in enumerate(zip(values, codes.T, strict=True)):
            part = slice(start + d * own.shape[1], start + (d + 1) * own.shape[1])
            cost = _cost(own, own[old], g[:, part], h[:, part, part])
            best = cost.min(1)
            new[:, d] = torch.where(best.values < cost.gather(1, old[:, None])[:, 0], best.indices, old)
            g += (h[:, :, part] @ (own[new[:, d]] - own[old])[:, :, None])[:, :, 0]
        start += dim
        made.append(new)
    return made


def _cost(values: Tensor, now: Tensor, g: Tensor, h: Tensor) -> Tensor:
    """``g v + (v - now)' H (v - now) / 2`` for each of K values, but for what all share: ``[K, w]`` -> ``[n, K]``."""
    square = (values[:, :, None] * values[:, None, :]).flatten(1)
    return (g - (h @ now[:, :, None])[:, :, 0]) @ values.T + h.flatten(1) @ square.T / 2
