// Why a view is not saved or not deleted.

import type { SaveViewMutation } from "../../api/generated/graphql";
import { shared } from "../../text/shared";
import { views as t } from "../../text/views";

export type UserError = NonNullable<SaveViewMutation["saveView"]>["userErrors"][number];

/** The page's sentence for an error in a mutation's input, or else the gateway's message. */
export function sentenceOf({ code, message, path }: UserError): string {
  if (code === "NOT_FOUND") return t.errors.gone;
  if (path.join(".") === "query.filter") return t.errors.filter;
  // A name that `cleanLine` has made is refused only if the account has too many views.
  if (path.join(".") === "name" && code === "BAD_USER_INPUT") return t.errors.full;
  return shared.errors.other(message);
}
