import type { Failure } from "../../api/errors";
import { text } from "../../text/shell";

/** What went wrong, in the page's words where the code has some, else in the gateway's. */
export function messageOf({ code, message }: Failure): string {
  const sentences: Record<string, unknown> = text.errors;
  const sentence = sentences[code];
  return typeof sentence === "string" ? sentence : text.errors.other(message);
}
