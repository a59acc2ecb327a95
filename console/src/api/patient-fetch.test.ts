import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { patientFetch } from "./patient-fetch";

const throttled = (wait?: string) =>
  new Response("", { status: 429, headers: wait === undefined ? {} : { "retry-after": wait } });
const good = () => new Response("{}", { status: 200 });

let send: ReturnType<typeof vi.fn>;

function answers(...responses: Response[]) {
  send = vi.fn(() => Promise.resolve(responses.shift()));
  vi.stubGlobal("fetch", send);
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a throttled request is sent again after the wait", async () => {
  answers(throttled("2"), good());
  const response = patientFetch("/graphql", { method: "POST", body: "{}" });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(send).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect((await response).status).toBe(200);
  expect(send).toHaveBeenLastCalledWith("/graphql", { method: "POST", body: "{}" });
});

test("the third response is final", async () => {
  answers(throttled("1"), throttled("1"), throttled("1"), good());
  const response = patientFetch("/graphql");
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await response).status).toBe(429);
  expect(send).toHaveBeenCalledTimes(3);
});

test.each([undefined, "", "soon", "-1", "61"])("a wait of %s is not waited for", async (wait) => {
  answers(throttled(wait), good());
  expect((await patientFetch("/graphql")).status).toBe(429);
  expect(send).toHaveBeenCalledTimes(1);
});

test("other failures are returned at once", async () => {
  answers(new Response("", { status: 503, headers: { "retry-after": "1" } }));
  expect((await patientFetch("/graphql")).status).toBe(503);
});

test("an aborted request waits no longer", async () => {
  answers(throttled("5"), good());
  const controller = new AbortController();
  const response = patientFetch("/graphql", { signal: controller.signal });
  const failed = expect(response).rejects.toThrow("abort");
  await vi.advanceTimersByTimeAsync(1_000);
  controller.abort();
  await failed;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(send).toHaveBeenCalledTimes(1);
});
