import { type Amount, formatExactMoney, formatMoney, negate, paddingZeros } from "../util/money";
import "./money.css";

type Props = {
  value: Amount;
  /** Plus: a positive amount has a sign too. Minus: the amount is shown negated. */
  sign?: "plus" | "minus";
  /** The most decimals of the column, so that its decimal points align. */
  decimals?: number;
};

/** An amount, rounded; its title and its copied text have every digit. */
export function Money({ value, sign, decimals = 0 }: Props) {
  const money = sign === "minus" ? negate(value) : value;
  const signs = sign === "plus" ? "exceptZero" : "negative";
  const padding = paddingZeros(money, decimals);
  return (
    <data
      className="money"
      value={money.amount}
      title={formatExactMoney(money, signs)}
      data-currency={money.currency}
    >
      {formatMoney(money, signs)}
      {padding && <span className="money-fill" data-zeros={padding} />}
    </data>
  );
}

/**
 * Copy amounts with every digit: a single amount in a form for programs (`12.345 USD`), amounts within
 * other text as in their titles.
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

/** A text with the amounts in it, which are in order, replaced by their titles. */
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
