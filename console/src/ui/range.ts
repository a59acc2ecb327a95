/** Calendar days, both inclusive. */
export type Days = { from: string; to: string };

export type RangeTexts = {
  label: string;
  presets: string;
  from: string;
  to: string;
  apply: string;
  previousMonth: string;
  nextMonth: string;
};
