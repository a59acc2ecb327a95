// The part of the gateway's schema that is measured, and the answers' values computed from rows.

export const typeDefs = `
  enum CreditPurchaseStatus {
    PENDING REQUIRES_ACTION SUCCEEDED FAILED CANCELED PARTIALLY_REFUNDED REFUNDED DISPUTED
  }
  enum UsageInterval { DAY WEEK MONTH }
  scalar Date
  scalar DateTime
  type Money { amount: String! currency: String! }
  type Balance { available: Money! }
  type PaymentMethod { brand: String last4: String }
  type Receipt { number: String! }
  type CreditPurchase {
    id: ID!
    createdAt: DateTime!
    status: CreditPurchaseStatus!
    amount: Money!
    paymentMethod: PaymentMethod
    receipt: Receipt
  }
  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
  type CreditPurchaseEdge { cursor: String! node: CreditPurchase! }
  type CreditPurchaseConnection {
    totalCount: Int!
    pageInfo: PageInfo!
    edges: [CreditPurchaseEdge!]!
    nodes: [CreditPurchase!]!
  }
  type UsageSummary { totalSpend: Money! totalDeployments: Int! }
  type UsageBucket {
    start: DateTime!
    end: DateTime!
    spend: Money!
    cumulativeSpend: Money!
    deployments: Int!
  }
  type Usage { summary: UsageSummary! buckets: [UsageBucket!]! }
  type Account {
    id: ID!
    name: String!
    balance: Balance!
    creditPurchases(first: Int!): CreditPurchaseConnection!
    usage(interval: UsageInterval!, from: Date!, to: Date!): Usage!
  }
  type AccountConnection { nodes: [Account!]! }
  type Viewer { accounts(first: Int!): AccountConnection! }
  type Query { account(id: ID!): Account viewer: Viewer! }
`;

const DAY = 86_400_000;
const SCALE = 9;

// An amount in nanos as text, with two decimals at least; the currency of the data is USD.
export function amountOf(nanos) {
  const digits = nanos.toString().padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "").padEnd(2, "0");
  return `${digits.slice(0, -SCALE)}.${fraction}`;
}

export const money = (nanos, currency) => ({ amount: amountOf(nanos), currency });

export const hexadecimal = (key) => BigInt(key).toString(16).padStart(16, "0");

export const keyOf = (id) => BigInt(`0x${id.slice("acct_".length)}`);

export const accountOf = (row) => ({
  key: row.account_id,
  currency: row.currency,
  id: `acct_${hexadecimal(row.account_id)}`,
  name: row.name,
  balance: { available: money(row.balance_nanos, row.currency) },
});

function purchaseOf(row) {
  return {
    account: row.account_id,
    key: row.id,
    id: `cp_${hexadecimal(row.account_id)}${hexadecimal(row.id)}`,
    createdAt: row.created_at.toISOString(),
    status: row.status,
    amount: money(row.amount_nanos, row.currency),
    paymentMethod: row.payment_method_type && {
      brand: row.payment_method_brand,
      last4: row.payment_method_last4,
    },
  };
}

// A page of purchases from one row more than the page has.
export function pageOf(account, rows, first) {
  const nodes = rows.slice(0, first).map(purchaseOf);
  const edges = nodes.map((node) => ({
    cursor: Buffer.from(`${node.createdAt}|${node.key}`).toString("base64url"),
    node,
  }));
  return {
    account,
    edges,
    nodes,
    pageInfo: {
      hasNextPage: rows.length > first,
      hasPreviousPage: false,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

// The start of the bucket with a day, and the start of the next bucket; milliseconds, UTC.
function bucketOf(day, interval) {
  const date = new Date(day);
  if (interval === "MONTH") {
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    return [Date.UTC(year, month), Date.UTC(year, month + 1)];
  }
  if (interval === "DAY") return [day, day + DAY];
  const monday = day - ((date.getUTCDay() + 6) % 7) * DAY;
  return [monday, monday + 7 * DAY];
}

// A stored set of deployments is an offset in bytes and the bytes of its bits.
function join(bits, stored) {
  for (let index = 1; index < stored.length; index += 1) {
    bits[stored[0] + index - 1] |= stored[index];
  }
}

const BITS = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replace(/0/g, "").length);
const count = (bits) => bits.reduce((sum, byte) => sum + BITS[byte], 0);

// A window's buckets, from its daily rows in the order of their days.
export function usageOf(rows, currency, { interval, from, to }) {
  const [lower, upper] = [Date.parse(from), Date.parse(to) + DAY];
  const buckets = [];
  const everything = new Uint8Array(256);
  let total = 0n;
  let position = 0;
  for (let [start, end] = bucketOf(lower, interval); start < upper; [start, end] = bucketOf(end, interval)) {
    const active = new Uint8Array(256);
    let spent = 0n;
    for (; position < rows.length && Date.parse(rows[position].day) < end; position += 1) {
      spent += rows[position].spent_nanos;
      join(active, rows[position].deployments);
      join(everything, rows[position].deployments);
    }
    total += spent;
    buckets.push({
      start: new Date(Math.max(start, lower)).toISOString(),
      end: new Date(Math.min(end, upper)).toISOString(),
      spend: money(spent, currency),
      cumulativeSpend: money(total, currency),
      deployments: count(active),
    });
  }
  const summary = { totalSpend: money(total, currency), totalDeployments: count(everything) };
  return { summary, buckets };
}
