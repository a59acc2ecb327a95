import type { Failure } from "../../api/errors";
import { shared } from "../../text/shared";

/** The page's sentence for a failure's code, or else the gateway's message. */
export function messageOf({ code, message }: Failure): string {
  const sentences: Record<string, unknown> = shared.errors;
  const sentence = sentences[code];
  return typeof sentence === "string" ? sentence : shared.errors.other(message);
}
