// The words of the saved views. Components read them while they render.

import { views as english } from "./en/views";
import { onWords } from "./language";

export let views = english;

onWords((words) => {
  views = words?.views ?? english;
});
