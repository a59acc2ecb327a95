import { expect, test } from "vitest";
import { inputOf, readFilters, toggled, writeFilters } from "./usage-filter";

test("values are read and written, and an empty one is usage without a value", () => {
  const given = new URLSearchParams(
    "filter-provider=north&filter-provider=a%2Cb&filter-provider=&filter-resource=&filter-project=x",
  );
  const filters = readFilters(given);
  expect(filters).toEqual({ PROVIDER: ["north", "a,b", null], PROJECT: ["x"] });
  const written = new URLSearchParams();
  writeFilters(filters, written);
  expect(readFilters(written)).toEqual(filters);
  expect(inputOf(filters)).toEqual({ providers: ["north", "a,b", null], projects: ["x"] });
});

test("the same value again removes it, and without values there is no filter", () => {
  const one = toggled({}, "GPU_MODEL", null);
  expect(inputOf(one)).toEqual({ gpuModels: [null] });
  const two = toggled(one, "GPU_MODEL", "h100");
  expect(two).toEqual({ GPU_MODEL: [null, "h100"] });
  expect(inputOf(toggled(toggled(two, "GPU_MODEL", null), "GPU_MODEL", "h100"))).toBeNull();
});
