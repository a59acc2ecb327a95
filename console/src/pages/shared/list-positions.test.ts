import { expect, test } from "vitest";
import { changedView, storePositions } from "./list-positions";
import type { View } from "./view";
import { readView } from "./view-url";

const view = (search: string): View => readView(search);

test("another selection starts at the first page of its list alone", () => {
  const before = view("?account=a&after=p&activity-after=q");
  const after = changedView(before, { status: ["FAILED"] });
  expect([after.cursor, after.activityCursor]).toEqual([null, { after: "q" }]);
  const dated = changedView(before, { range: "7d" });
  expect([dated.cursor, dated.activityCursor]).toEqual([null, null]);
});

test("a change may set a position itself", () => {
  const after = changedView(view("?after=p"), { size: 20, cursor: { after: "q" } });
  expect(after.cursor).toEqual({ after: "q" });
});

test("a return to a tab finds its position, unless the selection is another", () => {
  const billing = view("?account=a&after=p");
  storePositions(billing);
  const usage = changedView(billing, { tab: "usage" });
  expect(usage.cursor).toBeNull();
  expect(changedView(usage, { tab: "billing" }).cursor).toEqual({ after: "p" });
  const other = changedView(usage, { account: "b" });
  expect(changedView(other, { tab: "billing" }).cursor).toBeNull();
});
