// PostGraphile 5 on Node's server with `pg`: its Amber preset as the manual sets it up for production,
// read-only, with the measured types added by `extendSchema`.
//
// Idiomatic are the plans: rows come from the resources that PostGraphile finds in the database, and
// its own statements page, count and join them. Only the window of usage, which no table has, is a
// statement written by hand, batched by `loadOneWithPgClient`. The fields that it would generate for
// every table are off, because the document that all servers answer has other names.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { TYPES, loadOneWithPgClient } from "postgraphile/@dataplan/pg";
import { makePgService } from "postgraphile/adaptors/pg";
import { connection, constant, lambda, object } from "postgraphile/grafast";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { extendSchema } from "postgraphile/utils";
import * as queries from "./queries.mjs";
import { amountOf, hexadecimal, keyOf, typeDefs, usageOf } from "./schema.mjs";

const money = ($row, column) =>
  object({ amount: lambda($row.get(column), amountOf, true), currency: $row.get("currency") });
const instant = ($row, column) => lambda($row.get(column), (text) => new Date(text).toISOString(), true);
const globalId = (prefix, ...parts) =>
  lambda(parts, (keys) => prefix + keys.map(hexadecimal).join(""), true);

// The windows of many accounts at once: one statement for each pair of dates.
async function loadWindows(client, windows) {
  const fetch = async (text, values) => {
    const { rows } = await client.query({ name: "windows", text, values });
    return rows.map((row) => ({ ...row, spent_nanos: BigInt(row.spent_nanos) }));
  };
  const [{ from, to }] = windows;
  const rows = await queries.days(fetch, windows.map(({ account }) => account), from, to);
  return windows.map((each, index) => usageOf(rows[index], each.currency, each));
}

const billing = extendSchema(({ input: { pgRegistry }, sql }) => {
  const { account, credit_purchase, receipt } = pgRegistry.pgResources;
  return {
    typeDefs: typeDefs.replace("type Query", "extend type Query").replace(/type PageInfo \{[^}]*\}|scalar Date$/gm, ""),
    objects: {
      Query: {
        plans: {
          account: (_, { $id }) =>
            account.get({ account_id: lambda($id, (id) => String(keyOf(id)), true) }),
          viewer: () => constant({}),
        },
      },
      Viewer: {
        plans: {
          accounts(_, { $first }) {
            const $accounts = account.find();
            const $subject = $accounts.placeholder(constant(process.env.SUBJECT), TYPES.text);
            $accounts.where(sql`${$accounts.alias}.account_id IN (
              SELECT account_id FROM account_member WHERE subject = ${$subject})`);
            return page($accounts, "account_id", "ASC", $first);
          },
        },
      },
      Account: {
        plans: {
          id: ($account) => globalId("acct_", $account.get("account_id")),
          balance: ($account) => object({ available: money($account, "balance_nanos") }),
          creditPurchases($account, { $first }) {
            const $purchases = credit_purchase.find({ account_id: $account.get("account_id") });
            return page($purchases, "created_at", "DESC", $first);
          },
          usage: ($account, { $interval, $from, $to }) =>
            loadOneWithPgClient(
              account.executor,
              object({
                account: $account.get("account_id"),
                currency: $account.get("currency"),
                interval: $interval,
                from: $from,
                to: $to,
              }),
              loadWindows,
            ),
        },
      },
      CreditPurchaseConnection: {
        plans: {
          totalCount: ($connection) =>
            $connection
              .cloneSubplanWithoutPagination("aggregate")
              .singleAsRecord()
              .select(sql`count(*)`, TYPES.bigint, false),
        },
      },
      CreditPurchase: {
        plans: {
          id: ($row) => globalId("cp_", $row.get("account_id"), $row.get("id")),
          createdAt: ($row) => instant($row, "created_at"),
          amount: ($row) => money($row, "amount_nanos"),
          paymentMethod: ($row) =>
            lambda(
              [
                $row.get("payment_method_type"),
                $row.get("payment_method_brand"),
                $row.get("payment_method_last4"),
              ],
              ([type, brand, last4]) => type && { brand, last4 },
              true,
            ),
          receipt($row) {
            const $receipts = receipt.find({
              account_id: $row.get("account_id"),
              purchase_id: $row.get("id"),
            });
            $receipts.where(sql`${$receipts.alias}.refund_id IS NULL`);
            return $receipts.single();
          },
        },
      },
    },
  };
});

function page($rows, column, direction, $first) {
  $rows.orderBy({ attribute: column, direction });
  if (column !== "account_id") $rows.orderBy({ attribute: "id", direction });
  const $connection = connection($rows);
  $connection.setFirst($first);
  return $connection;
}

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;
const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [billing],
  schema: { defaultBehavior: "-*" },
  grafserv: { graphiql: false, graphqlOverGET: true, outputDataAsString: true, websockets: false },
  pgServices: [
    makePgService({
      schemas: ["public"],
      poolConfig: {
        host: PGHOST,
        port: Number(PGPORT),
        user: PGUSER,
        password: PGPASSWORD,
        database: PGDATABASE,
        max: 8,
      },
    }),
  ],
};
const server = createServer();
const served = postgraphile(preset).createServ(grafserv);
await served.addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
