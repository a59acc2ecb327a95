// The English words of the saved views.

import { isolated } from "../../util/locale";

export const views = {
  none: "No saved views yet. A saved view keeps the days, grouping and filter of the Usage tab.",
  name: "Name for this view",
  save: "Save",
  replace: "Replace",
  remove: (name: string) => `Delete ${isolated(name)}`,
  removed: (name: string) => `Deleted: ${isolated(name)}`,
  undo: "Undo",
};
