"""Fleet: hourly crypto candles into honestly validated models and portfolio signals.

The reading order is the import order; each chapter imports only those before it.

1. ``market``      what the data is: candles, gaps, symbol lineage, sources
2. ``features``    what is known at the close of each bar
   ``labels``      what we try to know, and when it becomes known
3. ``splits``      how past and future are kept apart
   ``metrics``     how good it is, beside its null
4. ``refine``      thousands of columns into twenty-five latents
5. ``models``      what learns: six experts and the gate that mixes them
6. ``store``       where models live: safe files, card, versions and stages
7. ``signals``     what we do about a forecast: thresholds
8. ``validation``  whether it is true: walk-forward, nulls, verdict
9. ``audit``       how we know that nothing leaks
10. ``reports``    what we tell: console, figures, page
11. ``pipelines``  Kedro begins here; ``commands`` add what it has no verb for
    ``lineage``    what DVC is told about the pipelines
"""

__version__ = "0.1.0"
