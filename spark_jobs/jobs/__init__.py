"""One module for each job of contracts.jobs, under the job's name: its `run(run)` reads, transforms and publishes."""
