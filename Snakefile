# The batch: data -> runs -> report. `make replicate` calls it; so may you, on a cluster too (config/profiles/README.md):
#   snakemake --profile config/profiles/local --cores 8 --config dataset=ml-1m recipe=paper part=tables
# A run is done when its record exists. Every job has one thread. The longest runs begin first.
import json
import sys
from functools import cache

from autodpq_system.stopping import exit_if_stopped, stop_on_signals, stop_with_starter

stop_with_starter()  # before the imports, which take seconds

from autodpq_budget.batch import register_all
from autodpq_eval.expected import expected
from autodpq_eval.request import Request
from autodpq_runs.record import record_path
from autodpq_system.paths import runs_root
from autodpq_system.sentence import sentence
from snakemake.exceptions import WorkflowError

register_all()
PYTHON = sys.executable
try:
    REQUEST = Request.model_validate(config)
    RUNS = {run.name(): run for run in REQUEST.plan()}
except ValueError as error:
    raise WorkflowError(sentence(error)) from None
RECORDS = [record_path(REQUEST.out, run) for run in RUNS.values()]
# A job that was killed (status >= 128) ends the batch; one that fails by itself (status 1) leaves the others at work.
KILLED = " || {{ (( $? < 128 )) || kill $PPID; exit 1; }}"


onstart:
    stop_on_signals()


onerror:
    exit_if_stopped()


@cache
def cost(name):
    return expected(REQUEST.out, RUNS[name])


rule report:
    input:
        [path for path in RECORDS if path.exists() or not REQUEST.gaps],
    params:
        request=REQUEST.model_dump_json(),
    log:
        REQUEST.logs / "report.log",
    resources:
        runtime=60,
        mem_mb=4000,
    shell:
        "{PYTHON:q} -m scripts.report {params.request:q} > {log:q} 2>&1" + KILLED


rule data:
    output:
        runs_root() / "prepared" / REQUEST.dataset / "manifest.json",
    log:
        REQUEST.logs / "data.log",
    resources:
        runtime=60,
        mem_mb=4000,
    shell:
        "{PYTHON:q} -c 'import sys; from autodpq_data.prepared import prepare; prepare(sys.argv[1])' {REQUEST.dataset:q}"
        " > {log:q} 2>&1" + KILLED


rule run:
    input:
        ancient(rules.data.output),
    output:
        update(REQUEST.folder / "records" / "{name}.json"),  # the older one stays until there is another
    params:
        run=lambda wildcards: json.dumps(RUNS[wildcards.name].parameters()),
        out=REQUEST.out,
    log:
        REQUEST.logs / "{name}.log",
    priority: lambda wildcards: cost(wildcards.name).minutes
    resources:
        runtime=lambda wildcards: cost(wildcards.name).limits["runtime"],
        mem_mb=lambda wildcards: cost(wildcards.name).limits["mem_mb"],
    shell:
        "{PYTHON:q} -m scripts.run_notebook --parameters {params.run:q} --out={params.out:q}"
        " --minutes {resources.runtime} > {log:q} 2>&1" + KILLED
