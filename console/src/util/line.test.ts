import { describe, expect, test } from "vitest";
import { cleanLine, truncate } from "./line";

describe("a clean line", () => {
  test.each([
    ["  card 4242 ", "card 4242"],
    ["a\tb\r\nc", "a b c"],
    // A mark that reverses what follows is removed.
    ["invoice \u202etxt.exe", "invoice txt.exe"],
    ["\u2068name\u2069", "name"],
    ["half \ud83d of a pair", "half   of a pair"],
    ["\u200b\u00a0", ""],
    ["", ""],
  ])("%j becomes %j", (text, line) => {
    expect(cleanLine(text, 100)).toBe(line);
  });

  test("it is cut, and has no space at its end", () => {
    expect(cleanLine("abc def", 4)).toBe("abc");
  });
});

describe("truncation", () => {
  test("characters are code points", () => {
    expect(truncate("👍👍👍", 2)).toBe("👍👍");
    expect(truncate("👍👍", 2)).toBe("👍👍");
  });

  test("a letter with its accent is one character, however it is written", () => {
    expect(truncate("e\u0301e\u0301", 1)).toBe("é");
    // A text that is short enough stays as it was typed.
    expect(truncate("e\u0301", 1)).toBe("e\u0301");
  });
});
