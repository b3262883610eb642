"""The figures of a report, one a file, each drawn from tables alone.

``of_report``    those of a validation, together
``precision``    what signals were right about, beside what blind ones would be
``lift``         what the brain adds to that, with intervals
``equity``       what the signals would have earned over time
``calibration``  whether a forecast probability means what it says
``rivals``       the brain among those it has to beat
``gains``        what it has above each of them, with intervals
``overfitting``  whether the best of one half of the days stays good in the other
``efficiency``   the brain beside the best possible forecast of a synthetic market
``gate``         whom the brain listens to, asset by asset
``gate_regimes`` the same, market by market
``loadings``     which families of signals the latents are made of
``timeline``     which past each fold learnt from
"""
