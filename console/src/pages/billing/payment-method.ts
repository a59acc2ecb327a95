import type { CreditPurchaseFieldsFragment } from "../../api/generated/graphql";
import { text } from "../../util/text";

const NO_BREAK = "\u00a0";

type Method = CreditPurchaseFieldsFragment["paymentMethod"];

/** `Visa •••• 4242`; a wallet's or bank's own name stands in front. Null where nothing was paid. */
export function methodName(method: Method): string | null {
  if (!method) return null;
  const brand = method.brand ? brandName(method.brand) : null;
  const card = [brand, method.last4 && `••••${NO_BREAK}${method.last4}`]
    .filter(Boolean)
    .join(NO_BREAK);
  const names = [method.label?.replaceAll(" ", NO_BREAK), card].filter(Boolean);
  return names.length > 0 ? names.join(" ") : text.methods[method.type];
}

const BRANDS: Record<string, string> = {
  amex: "American Express",
  cartes_bancaires: "Cartes Bancaires",
  diners: "Diners Club",
  eftpos_au: "Eftpos",
  jcb: "JCB",
  mastercard: "Mastercard",
  unionpay: "UnionPay",
};

function brandName(brand: string): string {
  return BRANDS[brand] ?? brand.charAt(0).toUpperCase() + brand.slice(1).replaceAll("_", " ");
}
