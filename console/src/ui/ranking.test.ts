import { expect, test } from "vitest";
import { ranked } from "./ranking";

const CHOICES = [
  { label: "Europe/London", note: "UTC+1", aliases: ["United Kingdom British Summer Time", "BST"] },
  { label: "Europe/Kyiv", note: "UTC+3", aliases: ["Kiev Ukraine", "EET"], weight: 26 },
  { label: "America/New_York", note: "UTC-4", aliases: ["US/Eastern", "EST"], weight: 214 },
  { label: "America/Toronto", note: "UTC-4", aliases: ["Canada/Eastern", "EST"], weight: 51 },
  { label: "America/São_Paulo", note: "UTC-3", aliases: ["Brazil/East", ""] },
];
const found = (query: string) => ranked(CHOICES, query).map(({ label }) => label);

test("without words every choice stays in its order", () => {
  expect(ranked(CHOICES, "  ")).toBe(CHOICES);
});

test("case, accents, slashes and underscores do not count", () => {
  expect(found("sao paulo")).toEqual(["America/São_Paulo"]);
  expect(found("NEW_YORK")).toEqual(["America/New_York"]);
});

test("each word has to match, in the label or another name", () => {
  expect(found("europe ukraine")).toEqual(["Europe/Kyiv"]);
  expect(found("europe canada")).toEqual([]);
});

test("a whole word ranks above a beginning, and that above the middle", () => {
  const choices = ["Easterly", "Northeast", "Far East"].map((label) => ({ label }));
  expect(ranked(choices, "east").map(({ label }) => label)).toEqual([
    "Far East",
    "Easterly",
    "Northeast",
  ]);
});

test("among equals the heavier is first", () => {
  expect(found("est").slice(0, 2)).toEqual(["America/New_York", "America/Toronto"]);
  expect(found("utc-4")).toEqual(["America/New_York", "America/Toronto"]);
});

test("infinite weights are equals", () => {
  const own = { label: "Europe/Berlin", weight: Number.POSITIVE_INFINITY };
  const utc = { label: "Europe/UTC", weight: Number.POSITIVE_INFINITY };
  expect(ranked([own, utc], "europe")).toEqual([own, utc]);
});
