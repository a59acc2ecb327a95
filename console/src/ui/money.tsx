import { type Amount, formatExactMoney, formatMoney, isZero } from "../util/money";
import "./money.css";

type Props = {
  value: Amount;
  /** Written in front of the amount where it is not zero: a refund is a −. */
  sign?: "+" | "−";
  /** Every digit, and at least so many decimals: a column's points stand below each other. */
  decimals?: number;
};

/** An amount as people read it; every digit in its title, and in what is copied. */
export function Money({ value, sign, decimals }: Props) {
  const full = formatExactMoney(value);
  const shown = decimals === undefined ? formatMoney(value) : formatExactMoney(value, decimals);
  return (
    <data
      className="money"
      value={value.amount}
      title={full}
      onCopy={(event) => {
        if (document.getSelection()?.toString().trim() !== shownText(shown, sign, value)) return;
        event.preventDefault();
        event.clipboardData.setData("text/plain", `${value.amount} ${value.currency}`);
      }}
    >
      {shownText(shown, sign, value)}
    </data>
  );
}

function shownText(shown: string, sign: Props["sign"], value: Amount): string {
  return sign && !isZero(value) ? `${sign}${shown}` : shown;
}
