"""Reports as SQL models in dbt, compiled ahead for each engine, and what runs them on DuckDB; nothing of AWS."""
