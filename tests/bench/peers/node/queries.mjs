// The statements of both servers, each for many keys. `fetch(text, values)` resolves to the rows.

const grouped = (rows, keys) => {
  const found = new Map(keys.map((key) => [key, []]));
  for (const row of rows) found.get(row.account_id).push(row);
  return keys.map((key) => found.get(key));
};

export async function accounts(fetch, keys) {
  const rows = await fetch(
    "SELECT account_id, name, currency, balance_nanos FROM account WHERE account_id = ANY($1::bigint[])",
    [keys],
  );
  const found = new Map(rows.map((row) => [row.account_id, row]));
  return keys.map((key) => found.get(key) ?? null);
}

export const firstAccounts = (fetch, subject, first) =>
  fetch(
    `SELECT a.account_id, a.name, a.currency, a.balance_nanos
     FROM account_member m JOIN account a USING (account_id)
     WHERE m.subject = $1 ORDER BY a.account_id LIMIT $2`,
    [subject, first],
  );

export const purchases = async (fetch, keys, first) =>
  grouped(
    await fetch(
      `SELECT p.* FROM unnest($1::bigint[]) AS k(account_id), LATERAL (
         SELECT account_id, id, created_at, status, currency, amount_nanos,
           payment_method_type, payment_method_brand, payment_method_last4
         FROM credit_purchase WHERE account_id = k.account_id
         ORDER BY created_at DESC, id DESC LIMIT $2
       ) AS p`,
      [keys, first + 1],
    ),
    keys,
  );

export async function purchaseCounts(fetch, keys) {
  const rows = await fetch(
    `SELECT account_id, count(*)::int AS count FROM credit_purchase
     WHERE account_id = ANY($1::bigint[]) GROUP BY account_id`,
    [keys],
  );
  const found = new Map(rows.map((row) => [row.account_id, row.count]));
  return keys.map((key) => found.get(key) ?? 0);
}

export async function receipts(fetch, purchases) {
  const rows = await fetch(
    `SELECT r.purchase_id, r.number
     FROM unnest($1::bigint[], $2::bigint[]) AS k(account_id, purchase_id)
     JOIN receipt r ON r.account_id = k.account_id AND r.purchase_id = k.purchase_id
       AND r.refund_id IS NULL`,
    [purchases.map((each) => each.account), purchases.map((each) => each.key)],
  );
  const found = new Map(rows.map((row) => [row.purchase_id, row]));
  return purchases.map((each) => found.get(each.key) ?? null);
}

export const days = async (fetch, keys, from, to) =>
  grouped(
    await fetch(
      `SELECT d.* FROM unnest($1::bigint[]) AS k(account_id), LATERAL (
         SELECT account_id, day::text, spent_nanos, deployments FROM rollup_day
         WHERE account_id = k.account_id AND day BETWEEN $2::date AND $3::date ORDER BY day
       ) AS d`,
      [keys, from, to],
    ),
    keys,
  );
