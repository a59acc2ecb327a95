"""Live updates: who hears of a change (`changes`), and who gets it (`hub`).

Every account has a revision, which grows with each transaction that changed something that is
pushed. A signal carries the account and the revision alone, and what is new is read by whoever
heard it: lost, repeated and reordered signals do no harm.
"""
