import { type Amount, formatExactMoney, formatMoney, isZero } from "../util/money";
import "./money.css";

type Props = {
  value: Amount;
  /** Written in front of the amount where it is not zero: a refund is a −. */
  sign?: "+" | "−";
  exact?: boolean;
};

/** An amount as people read it; every digit in its title, and in what is copied. */
export function Money({ value, sign, exact = false }: Props) {
  const full = formatExactMoney(value);
  const shown = exact ? full : formatMoney(value);
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
