"""The few numbers of a result that are followed from version to version.

They lie in small files that git keeps, so that `dvc metrics diff` and `dvc plots diff`
tell what a change has brought, also where no data was pulled.

``digits``       how many of them are written
``validation``   the verdict on the global brain
``tuning``       what chosen thresholds are worth
``forecasters``  the ensemble's errors
``backtest``     what the account came to
"""
