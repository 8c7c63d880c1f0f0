"""Spark on this machine: Java, pinned jars and settings; knows neither jobs nor the application that runs on it."""
