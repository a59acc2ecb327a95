// GraphQL Yoga on Node's server, with DataLoader and postgres.js (prepared statements, pipelined).
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import postgres from "postgres";
import * as queries from "./queries.mjs";
import { accountOf, keyOf, pageOf, typeDefs, usageOf } from "./schema.mjs";

const sql = postgres({
  max: 8,
  onnotice: () => {},
  types: { bigint: postgres.BigInt },
});
const parameter = (value) => (Array.isArray(value) ? `{${value.join(",")}}` : value);
const fetch = (text, values) => sql.unsafe(text, values.map(parameter), { prepare: true });

// One loader for each set of arguments, made when it is first needed.
function byArguments(load) {
  const made = new Map();
  return (key, params) => {
    const name = JSON.stringify(params);
    if (!made.has(name)) {
      made.set(name, new DataLoader((keys) => load(keys, params), { cache: false }));
    }
    return made.get(name).load(key);
  };
}

const context = () => ({
  purchases: byArguments((keys, { first }) => queries.purchases(fetch, keys, first)),
  days: byArguments((keys, { from, to }) => queries.days(fetch, keys, from, to)),
  counts: new DataLoader((keys) => queries.purchaseCounts(fetch, keys)),
  receipts: new DataLoader((purchases) => queries.receipts(fetch, purchases), { cache: false }),
});

const resolvers = {
  Query: {
    account: async (_, { id }) => {
      const [row] = await queries.accounts(fetch, [keyOf(id)]);
      return row && accountOf(row);
    },
    viewer: () => ({}),
  },
  Viewer: {
    accounts: async (_, { first }) => ({
      nodes: (await queries.firstAccounts(fetch, process.env.SUBJECT, first)).map(accountOf),
    }),
  },
  Account: {
    creditPurchases: async (account, params, { purchases }) =>
      pageOf(account.key, await purchases(account.key, params), params.first),
    usage: async (account, params, { days }) =>
      usageOf(await days(account.key, params), account.currency, params),
  },
  CreditPurchaseConnection: { totalCount: ({ account }, _, { counts }) => counts.load(account) },
  CreditPurchase: { receipt: (purchase, _, { receipts }) => receipts.load(purchase) },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context,
  graphiql: false,
  landingPage: false,
  logging: false,
});
createServer(yoga).listen(Number(process.env.PORT), "127.0.0.1");
