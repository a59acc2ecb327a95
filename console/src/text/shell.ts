// The words around the tabs. Components read them while they render, because they change with the
// language of the page.

import { shell as english } from "./en/shell";
import { onWords } from "./language";

export let shell = english;
export let { signIn, views } = english;

onWords((words) => {
  shell = words?.shell ?? english;
  ({ signIn, views } = shell);
});
