import { expect, test } from "vitest";
import { readView } from "../shared/view-url";
import { queryOf, viewOf } from "./view-query";

test.each([
  "?tab=usage&range=12w&interval=week&by=project&then=provider&zone=Asia%2FTokyo",
  "?tab=usage&from=2026-11-01&to=2026-11-30&filter-project=&filter-resource=GPU",
  "?tab=usage",
])("%s is opened as it was saved", (search) => {
  const view = readView(search);
  const { filter, ...rest } = queryOf(view);
  const lists = { deployments: null, providers: null, gpuModels: null };
  const saved = filter && { ...lists, projects: null, resources: null, ...filter };
  const given = { from: null, to: null, range: null, ...rest, filter: saved };
  expect({ ...readView(""), ...viewOf(given as Parameters<typeof viewOf>[0]) }).toEqual(view);
});
