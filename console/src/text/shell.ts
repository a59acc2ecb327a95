// The words around the tabs, in the language of the page: read them where they are shown, because
// they change with it.

import { shell } from "./en/shell";
import { followWords } from "./language";

export let text = shell;
export let { balance, signIn } = shell;

followWords((words) => {
  text = words?.shell ?? shell;
  ({ balance, signIn } = text);
});
