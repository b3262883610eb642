"""An exchange on loopback: real paths, pages, weights and limits, and faults on order.

It reads from one ``Book``, which is the truth that a client's store is held against.
"""
