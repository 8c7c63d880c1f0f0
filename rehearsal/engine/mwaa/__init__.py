"""Managed Airflow: a real Airflow in a virtual environment of its own; knows nothing of what its DAGs are for."""
