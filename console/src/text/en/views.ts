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

  errors: {
    full: "You have as many saved views here as are possible. Delete one first.",
    filter: "The filter has too many values for a saved view. Choose fewer.",
    gone: "This view has been deleted elsewhere.",
  },
};
