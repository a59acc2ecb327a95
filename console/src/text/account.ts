// The words of the balance panel. Components read them while they render.

import { account } from "./en/account";
import { onWords } from "./language";

export let { balance, live, low } = account;

onWords((words) => {
  ({ balance, live, low } = words?.account ?? account);
});
