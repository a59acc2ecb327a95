// The words of the Usage tab, in the language of the page: read them where they are shown.

import { usage as english } from "./en/usage";
import { followWords } from "./language";

export let usage = english;

followWords((words) => {
  usage = words?.usage ?? english;
});
