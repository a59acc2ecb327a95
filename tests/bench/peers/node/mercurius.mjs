// Mercurius on Fastify with its just-in-time compiler, its loaders, and `pg` with prepared statements.
import Fastify from "fastify";
import mercurius from "mercurius";
import pg from "pg";
import * as queries from "./queries.mjs";
import { accountOf, keyOf, pageOf, typeDefs, usageOf } from "./schema.mjs";

const INT8 = 20;
const types = {
  getTypeParser: (type, format) =>
    type === INT8 ? (text) => BigInt(text) : pg.types.getTypeParser(type, format),
};
const pool = new pg.Pool({ max: 8, types });
const names = new Map();

async function fetch(text, values) {
  if (!names.has(text)) names.set(text, `q${names.size}`);
  return (await pool.query({ name: names.get(text), text, values })).rows;
}

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
};

// Without the cache of a request: its keys would be the parents as JSON.
const batched = (loader) => ({ loader, opts: { cache: false } });

const loaders = {
  Account: {
    creditPurchases: batched(async (asked) => {
      const { first } = asked[0].params;
      const keys = asked.map(({ obj }) => obj.key);
      const rows = await queries.purchases(fetch, keys, first);
      return rows.map((each, index) => pageOf(keys[index], each, first));
    }),
    usage: batched(async (asked) => {
      const { params } = asked[0];
      const keys = asked.map(({ obj }) => obj.key);
      const rows = await queries.days(fetch, keys, params.from, params.to);
      return rows.map((each, index) => usageOf(each, asked[index].obj.currency, params));
    }),
  },
  CreditPurchaseConnection: {
    totalCount: batched((asked) =>
      queries.purchaseCounts(fetch, asked.map(({ obj }) => obj.account)),
    ),
  },
  CreditPurchase: {
    receipt: batched((asked) => queries.receipts(fetch, asked.map(({ obj }) => obj))),
  },
};

const app = Fastify();
app.register(mercurius, { schema: typeDefs, resolvers, loaders, jit: 1 });
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
