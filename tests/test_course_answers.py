"""The course's checks take a right answer in another form, and refuse the wrong answers that students give."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from autodpq_eval import exercise
from autodpq_system.paths import ROOT

SESSIONS = (1, 2, 3)

# What is run after the solution and before the check.
RIGHT = {
    "1.1": "text, more = round(text, 3), round(more, 3)",
    "1.2": "fe, others = float(fe), float(others)",
    "1.3": "pairs = set(pairs)",
    "1.5": "genre, year = round(genre, 3), round(year, 3)",
    "1.6": "t = touched.round(7); needed = 0.0068 / (1 - (1 - t['touched, positive']) * (1 - t['touched, negative']))",
    "1.7": "smallest = 32.900_372",
    "1.8": "tau, epochs = 0.997, round(epochs, 2)",
    "1.9": "autodpq_saves, others_saves = round(autodpq_saves, 2), round(others_saves, 2)",
    "2.1": "code, decoded = torch.tensor(code), np.array(decoded)",
    "2.3": "losing = low.index[low <= 64]",
    "2.4": "by_solution = encode; encode = lambda e, q: e.copy_(e * 2) is e and by_solution(e, q)",
    "2.6": "centroids /= centroids.norm(dim=1, keepdim=True)",
    "2.7": "never = torch.tensor(never)",
    "2.8": "perplexity = torch.tensor(round(perplexity, 2))",
    "2.9": "best = list(best)",
    "3.1": "p = np.round(p, 4)",
    "3.3": "largest, apart = round(largest, 3), round(apart, 3)",
    "3.4": "movie, settled = round(movie, 2), round(settled, 2)",
    "3.5": "large, small = (-1, 1), (-1, 1)",
    "3.7": "t, df, p_welch = round(t, 3), round(df, 3), round(p_welch, 3); star = t > 0 and p_welch < 0.05",
    "3.11": "shown = tost < 0.05",
    "3.12": "in_steps, in_seconds = round(in_steps, 1), round(in_seconds, 1)",
}
WRONG = {
    "1.1": ["text = -rates[0] * math.log2(rates[0]) - (1 - rates[0]) * math.log2(1 - rates[0])", "impossible = 'more'"],
    "1.2": ["others = 16 * kept_rows", "others = 16 * (kept_rows + 8)"],
    "1.3": ["pairs = []", "pairs = [(8, 8), (16, 8)]"],
    "1.4": ["decisions = 5**9", "factor = 9**5 / 9**8"],
    "1.5": ["genre = math.exp(-mean['genre']) * mean['genre'] ** 2 / 2", "year = 1 - math.exp(-mean['year'])"],
    "1.6": [
        "needed = needed | {160: 0.0068 / touched.loc[160, ['touched, positive', 'touched, negative']].sum()}",
        "impossible_at = []",
    ],
    "1.7": ["smallest = (16e6 + 2 * features) / 1e6", "smallest = smallest - 13 * 16 * 8 / 1e6", "smallest = 31"],
    "1.8": ["tau = 0.97", "tau = 1", "steps = 20_000"],
    "1.9": ["autodpq_saves = 190 / 216", "wrong = 'ml-1m'"],
    "2.1": ["code = [1, 2]", "decoded = [-0.5, -0.4, 0.6, -0.1]"],
    "2.2": ["how_many = 8**32", "factor = 2"],
    "2.3": ["above = 32", "losing = low.index.tolist()"],
    "2.4": [
        "encode = lambda e, q: torch.einsum('pwd,dkw->pdk', e.view(-1, 4, 4), q).argmax(-1)",
        "in_order = encode; encode = lambda e, q: in_order(e, q).T",
        "by_integers = encode; encode = lambda e, q: by_integers(e, q).float()",
        "encode = lambda e, q: None",
    ],
    "2.5": ["gradient = lambda e, q, g, tau: g"],
    "2.6": ["share = 1 - share", "share = (torch.cdist(parts, centroids).argmin(1) == 0).float().mean()"],
    "2.7": ["never = [k + 1 for k in never]", "never = []"],
    "2.8": ["dead = int((used[0] == 0).sum())", "different = len(codes)", "perplexity = math.log(perplexity)"],
    "2.9": ["best = min(pairs, key=distortion)", "best = min(pairs, key=lambda pair: bits_of(*pair))"],
    "2.10": ["right_one = vector; vector = lambda raw, field, rank: right_one(raw, field, max(rank - 1, 0))"],
    "3.1": ["p = torch.softmax(torch.tensor([0, 0.5, 1]) / 0.5, 0)", "heaviest = 2"],
    "3.2": ["wins = weights.max()", "lot = 1 / 8"],
    "3.3": ["reach = 0.001 * steps", "tau = 1; apart = tau * math.log(weights.max() / weights.min())"],
    "3.4": ["movie = 9", "settled = 1 / 0.92"],
    "3.5": ["small = [-0.1, 0.1]", "large = [-(0.5**0.5), 0.5**0.5]", "tells = True"],
    "3.6": [
        "by_lot = 0.5**8",
        "fields = 8",
        "fields_by_lot = stats.binom.sf(fields, 16, 1 / 2)",
        "p_mcnemar = stats.fisher_exact([[8, 0], [0, 8]]).pvalue",
        "p_mcnemar = stats.binomtest(8, 8, alternative='greater').pvalue",
    ],
    "3.7": ["t = -t", "p_welch = stats.t.sf(abs(t), df)", "df = 4", "star = True"],
    "3.8": ["power_small_sd = 1 - power_small_sd", "power_small_sd = stats.norm.sf(1.96 - 2 / (2 / 3) ** 0.5 )"],
    "3.9": ["times_small_sd = 1", "times_large_sd = 2"],
    "3.10": [
        "lead = lead / 1000",
        "again = lead",
        "again = float(leads[['seed 2', 'seed 3']].max().mean())",
        "c = 1.87",
    ],
    "3.11": ["tost = min(not_worse, not_better)", "shown = True"],
    "3.12": ["in_steps, in_seconds = in_steps - 1, in_seconds - 1", "in_steps, in_seconds = in_seconds, in_steps"],
}


def verdicts(session: int, said: list[str]) -> dict[tuple[str, str], str]:
    """What each check says after each of the lines above, and after none."""
    found, number = {}, 0
    namespace: dict[str, Any] = {"__name__": "__main__"}
    sources = nbformat.read(ROOT / "course" / f"solutions_{session}.ipynb", 4).cells
    for cell in (each for each in sources if each.cell_type == "code"):
        tags = cell.metadata.get("tags", [])
        number += "solution" in tags
        name = f"{session}.{number}"
        for line in [RIGHT.get(name, ""), *WRONG[name]] if "check" in tags else []:
            after = namespace.copy()
            exec(line, after)
            exec(cell.source, after)
            found[name, line] = said[-1]
        exec(cell.source, namespace)
    return found


@pytest.mark.parametrize("session", SESSIONS)
def test_checks_know_right_from_wrong(session: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(exercise, "say", said.append)
    for (name, line), verdict in verdicts(session, said).items():
        if line in WRONG[name]:
            assert "not right yet" in verdict, (name, line)
        else:
            assert verdict.endswith(": right."), (name, line, verdict)
