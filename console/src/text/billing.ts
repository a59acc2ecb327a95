// The words of the Billing tab. Components read them while they render.

import { billing } from "./en/billing";
import { onWords } from "./language";

export let { filter, purchases, activity, statements, receipts, history } = billing;

onWords((words) => {
  ({ filter, purchases, activity, statements, receipts, history } = words?.billing ?? billing);
});
