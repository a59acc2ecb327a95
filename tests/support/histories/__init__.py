"""Random histories of a payment provider, and what of their money the books must end with.

`story` holds what truly happened, `draw` invents it. `provider` plays a story as Stripe does: its
events and its lists, in the shapes of a version of the API. `model` computes from the story alone
what must be booked, without a line of the product's. `delivery` brings the events in every way in
which they arrive, and `figures` compares.
"""
