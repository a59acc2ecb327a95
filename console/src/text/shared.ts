// The words that both tabs and the header share. Components read them while they render.

import { shared as english } from "./en/shared";
import { onWords } from "./language";

export let shared = english;

onWords((words) => {
  shared = words?.shared ?? english;
});
