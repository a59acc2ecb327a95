// The same subscription as the gateway's, by graphql-ws as documented: one account, in memory.
import { EventEmitter, on } from "node:events";
import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  type Money { amount: String! currency: String! }
  type Balance { available: Money! version: Int! asOf: String! }
  type BalanceUpdate { version: Int! cause: String! change: Money balance: Balance! }
  type Query { version: Int! }
  type Subscription { balanceUpdated(accountId: ID!): BalanceUpdate! }
`);
const changes = new EventEmitter();
changes.setMaxListeners(0);
let version = 0;

function update(cause, change) {
  const available = { amount: `${version}.00`, currency: "USD" };
  const balance = { available, version, asOf: new Date().toISOString() };
  return { balanceUpdated: { version, cause, change, balance } };
}

schema.getSubscriptionType().getFields().balanceUpdated.subscribe = async function* () {
  const events = on(changes, "change");
  yield update("SNAPSHOT", null);
  for await (const [event] of events) yield event;
};

const server = createServer((request, response) => {
  if (request.method === "POST") {
    version += 1;
    changes.emit("change", update("ADJUSTMENT", { amount: "1.00", currency: "USD" }));
  }
  response.end("ok");
});
useServer({ schema }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(Number(process.env.PORT), "127.0.0.1");
