"""Live updates: from a commit to the subscribers of its account.

1. `billing/book.py` gives each transaction that changes an account a new revision and announces it
   with the commit: NOTIFY on Postgres, a listener in `store/engine/` on SQLite.
2. `changes.py` listens in every process and calls the hub with the account and its revision.
3. `hub.py` finds the feeds of the account, reads each once, and offers the updates to its sinks.

`source.py` is what a feed reads: the events of one field. `access.py` checks at intervals that
subscribers still have access; `reader.py` has the database reads of the hub and of that check.

An announcement carries the account and the revision alone; a feed reads the events after its own
revision. So lost, repeated and reordered announcements do no harm. `gateway.transports` has the
other half of the path: what feeds and sinks are.
"""
