import { purchases as t } from "../../text/billing";

/**
 * A reason for people: a provider's code (`requested_by_customer`) in the language of the page; any other
 * text as it is.
 */
export function readReason(reason: string): string {
  const known = t.reasons[reason.toLowerCase().replaceAll(" ", "_")];
  if (known) return known;
  if (!/^[a-z]+(_[a-z]+)*$/.test(reason)) return reason;
  const words = reason.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
