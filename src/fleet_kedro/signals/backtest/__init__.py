"""What a strategy would have earned, had it been traded on these candles.

``market``       candles side by side, and when each asset can be traded
``decisions``    what a strategy says at each close, and the orders that follow
``rules``        costs, and what the account may do
``book``         cash, positions and fills
``engine``       hour after hour: opens, orders, stops and targets, closes
``rebalance``    from wanted weights to coins
``ledger``       equity, exposure and fills
``trades``       fills paired into trades
``performance``  what it came to, with intervals
``benchmarks``   what knowing nothing, or everything, would have come to
``luck``         the strategy itself, at moments that know nothing
``rivals``       the accounts that a strategy stands beside
``ladder``       what each step of a strategy adds to the one before
"""
