"""The construct library: one file, one construct; it must not know a stage, a stack or another team's names."""
