// The words of the Usage tab. Components read them while they render.

import { usage as english } from "./en/usage";
import { onWords } from "./language";

export let usage = english;

onWords((words) => {
  usage = words?.usage ?? english;
});
