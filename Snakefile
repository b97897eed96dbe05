# The batch: data -> runs -> report. `make replicate` calls it; so may you, on a cluster too:
#   snakemake --cores 8 --config dataset=ml-1m recipe=paper part=tables
#   snakemake --executor slurm --jobs 30 --config dataset=ml-1m recipe=paper
# A run is done when its record exists. Every job has one thread.
import json
import sys
from pathlib import Path

from autodpq_eval.batch import log_path
from autodpq_system.paths import runs_root
from autodpq_eval.plans import plan
from autodpq_runs.record import record_path


def words(key, default=""):
    return str(config.get(key) or default).split()


DATASET, RECIPE = config.get("dataset", "ml-1m"), config.get("recipe", "tuned")
OUT = Path(config.get("out", "results"))
PLAN = plan(
    config.get("part", "tables"),
    DATASET,
    RECIPE,
    [int(seed) for seed in words("seeds", "1 2 3")],
    out=OUT,
    models=words("models"),
    strategies=words("strategies"),
    profile=config.get("profile", "full"),
)
RUNS = {run.name(): run for run in PLAN}
HERE = OUT / DATASET / RECIPE
PYTHON = f"OMP_NUM_THREADS=1 {sys.executable}"


def parameters(wildcards):
    return json.dumps(RUNS[wildcards.name].parameters())


rule report:
    input:
        records=[record_path(OUT, run) for run in PLAN],
    output:
        HERE / "notebooks" / "12_report.ipynb",
    shell:
        f"{PYTHON} -m scripts.report --out {OUT} --dataset {DATASET} --recipe {RECIPE}"
        f" --seeds {config.get('seeds', '1 2 3')} --profile {config.get('profile', 'full')}"
        f" --part {config.get('part', 'tables')}"


rule data:
    output:
        runs_root() / "prepared" / DATASET / "manifest.json",
    shell:
        f"{PYTHON} -c 'from autodpq_data.prepared import prepare; prepare(\"{DATASET}\")'"


rule run:
    input:
        ancient(rules.data.output),
    output:
        HERE / "records" / "{name}.json",
    params:
        json=parameters,
        executed=lambda wildcards: HERE / "notebooks" / f"{wildcards.name}.ipynb",
    log:
        str(runs_root() / "logs" / DATASET / RECIPE / "{name}.log"),
    threads: 1
    shell:
        f"{PYTHON} -m scripts.run_notebook --parameters '{{params.json}}' --out {OUT}"
        " --executed {params.executed} > {log} 2>&1"
