"""How we know that nothing leaks.

An audited *step* is a function from a ``World`` to a table keyed by (timestamp, asset):
signals, labels, scales, forecasts. A *check* changes the world, and the step must not
notice: the future is cut off or another one, older candles are gone, assets come in
another order, a segment ends elsewhere. What a step promises exactly is its ``Law``.

``world``      what can be known, and everything the project derives from it
``changes``    one world made into another
``step``       what is audited, and what it promises
``pairing``    two tables, row by row
``checks``     which change, and which rows must then agree
``examine``    every step under every check
``forecasts``  forecasts that are too good to be true
``steps``      the register of the project's own steps
``planted``    known mistakes, which the checks must find
"""
