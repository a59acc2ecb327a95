import { expect, test } from "vitest";
import { views as english } from "../../text/en/views";
import { sentenceOf } from "./user-error";

test.each([
  ["NOT_FOUND", ["id"], english.errors.gone],
  ["BAD_USER_INPUT", ["query", "filter"], english.errors.filter],
  ["BAD_USER_INPUT", ["name"], english.errors.full],
  ["CONFLICT", ["name"], "As the gateway says."],
] as const)("%s at %s has a sentence", (code, path, sentence) => {
  const error = { code, message: "As the gateway says.", path: [...path] };
  expect(sentenceOf(error)).toBe(sentence);
});
