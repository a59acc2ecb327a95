"""An account's receipts, credit notes and cancellations in the order of their dates."""

from typing import Final

from gateway.models import Receipt, table_of
from gateway.store.listing import Listing
from gateway.store.purchase_relations import all_but_data
from gateway.store.rows import Counted, ReceiptRow

RECEIPTS: Final = Listing[ReceiptRow, Counted](
    table_of(Receipt), scope=("account_id",), order=("issued_at", "id"), columns=all_but_data
)
