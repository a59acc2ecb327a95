import { expect, test } from "vitest";
import { coloursOf, type Known } from "./group-colours";

const eight = ["a", "b", "c", "d", "e", "f", "g", "h"];

test("values get the colours in their order, and no two the same", () => {
  const shown = coloursOf([...eight, "i"], new Map());
  expect([...shown]).toEqual(eight.map((id, at) => [id, at + 1]));
});

test("a value keeps its colour while others come and go", () => {
  const known: Known = new Map();
  coloursOf(["a", "b", "c"], known);
  expect(coloursOf(["c", "d"], known)).toEqual(
    new Map([
      ["c", 3],
      ["d", 4],
    ]),
  );
  expect(coloursOf(["b", "a", "d"], known).get("a")).toBe(1);
});

test("a new value takes the colour of the value unseen the longest", () => {
  const known: Known = new Map();
  coloursOf(eight, known);
  coloursOf(["a", "c"], known);
  const shown = coloursOf(["a", "c", "new"], known);
  expect(shown.get("new")).toBe(2);
  // Where its colour is taken, a value that returns gets another.
  const back = coloursOf(["new", "b"], known);
  expect(back.get("new")).toBe(2);
  expect(back.get("b")).not.toBe(2);
});
