import type { Failure } from "../../api/errors";
import { shared } from "../../text/shared";

/** What went wrong, in the page's words where the code has some, else in the gateway's. */
export function messageOf({ code, message }: Failure): string {
  const sentences: Record<string, unknown> = shared.errors;
  const sentence = sentences[code];
  return typeof sentence === "string" ? sentence : shared.errors.other(message);
}
