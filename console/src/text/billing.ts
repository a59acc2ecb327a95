// The words of the Billing tab, in the language of the page: read them where they are shown.

import { billing } from "./en/billing";
import { followWords } from "./language";

export let { purchases, activity, history } = billing;

followWords((words) => {
  ({ purchases, activity, history } = words?.billing ?? billing);
});
