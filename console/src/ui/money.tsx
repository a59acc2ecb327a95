import {
  type Amount,
  formatExactMoney,
  formatMoney,
  missingDecimals,
  negated,
} from "../util/money";
import "./money.css";

type Props = {
  value: Amount;
  /** Plus: what comes in is marked as well. Minus: the amount is one that is taken off. */
  sign?: "plus" | "minus";
  /** The decimals of the longest amount of a column: points stand below each other. */
  decimals?: number;
};

/** An amount as people read it; every digit in its title, and in what is copied. */
export function Money({ value, sign, decimals = 0 }: Props) {
  const money = sign === "minus" ? negated(value) : value;
  const signs = sign === "plus" ? "exceptZero" : "negative";
  const missing = missingDecimals(money, decimals);
  return (
    <data
      className="money"
      value={money.amount}
      title={formatExactMoney(money, signs)}
      data-currency={money.currency}
    >
      {formatMoney(money, signs)}
      {missing && <span className="money-fill" data-zeros={missing} />}
    </data>
  );
}

/**
 * Copy amounts with every digit: one alone as a program reads it (`12.345 USD`), those among other
 * text as their titles have them.
 */
export function copyExactly(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (!selection || selection.rangeCount === 0 || !event.clipboardData) return;
  const range = selection.getRangeAt(0);
  const whole = [...document.querySelectorAll<HTMLDataElement>("data.money")].filter((element) =>
    isWithin(element, range),
  );
  const shown = selection.toString();
  const [first] = whole;
  if (!first) return;
  event.preventDefault();
  const isAlone = shown.trim() === textOf(first);
  const copied = isAlone ? `${first.value} ${first.dataset["currency"]}` : exactly(shown, whole);
  event.clipboardData.setData("text/plain", copied);
}

function isWithin(element: Element, range: Range): boolean {
  const texts = [...element.childNodes].filter((node) => node instanceof Text);
  const [first, last] = [texts[0], texts.at(-1)];
  if (!first || !last) return false;
  const own = document.createRange();
  own.setStart(first, 0);
  own.setEnd(last, last.length);
  return (
    range.compareBoundaryPoints(Range.START_TO_START, own) <= 0 &&
    range.compareBoundaryPoints(Range.END_TO_END, own) >= 0
  );
}

/** The text with each of these amounts, which stand in it one after the other, in full. */
function exactly(text: string, amounts: readonly HTMLDataElement[]): string {
  let done = "";
  let rest = text;
  for (const amount of amounts) {
    const shown = textOf(amount);
    const at = rest.indexOf(shown);
    if (at === -1) continue;
    done += rest.slice(0, at) + amount.title;
    rest = rest.slice(at + shown.length);
  }
  return done + rest;
}

function textOf(element: Element): string {
  return element.textContent ?? "";
}
