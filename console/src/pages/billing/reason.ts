import { purchases as t } from "../../text/billing";

/**
 * A reason as people read it: a provider's code (`requested_by_customer`, "Requested by customer") in
 * the language of the page, anything else as it is.
 */
export function readReason(reason: string): string {
  const known = t.reasons[reason.toLowerCase().replaceAll(" ", "_")];
  if (known) return known;
  if (!/^[a-z]+(_[a-z]+)*$/.test(reason)) return reason;
  const words = reason.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
