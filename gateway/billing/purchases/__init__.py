"""Credit purchases: their lifecycle, refunds, disputes and receipts."""
