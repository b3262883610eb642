"""Kedro begins here: one package a pipeline."""
