/** A reason as people read it: `requested_by_customer`, a provider's code, as "Requested by customer". */
export function readReason(reason: string): string {
  if (!/^[a-z]+(_[a-z]+)*$/.test(reason)) return reason;
  const words = reason.replaceAll("_", " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
