import { type CalendarDate, parseDate } from "@internationalized/date";
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components/Button";
import { CalendarCell, CalendarGrid, CalendarHeading } from "react-aria-components/Calendar";
import { DateField, DateInput, DateSegment } from "react-aria-components/DateField";
import { Label } from "react-aria-components/Label";
import { RangeCalendar } from "react-aria-components/RangeCalendar";
import { Button } from "./button";
import { Icon } from "./icon";
import type { Days, RangeTexts } from "./range";

type Props = {
  texts: RangeTexts;
  days: Days | null;
  limits: Days;
  today: string;
  onDays: (days: Days) => void;
};

type Range = { start: CalendarDate; end: CalendarDate };

/** Two fields to type in and a calendar to point at, for the same two days. */
export default function CustomRange({ texts, days, limits, today, onDays }: Props) {
  const [from, setFrom] = useState(days ? parseDate(days.from) : null);
  const [to, setTo] = useState(days ? parseDate(days.to) : null);
  const [focused, setFocused] = useState(to ?? parseDate(today));
  const min = parseDate(limits.from);
  const max = parseDate(limits.to);
  const isInvalid = !from || !to || from > to || from < min || to > max;

  function type(which: "from" | "to", day: CalendarDate | null) {
    if (which === "from") setFrom(day);
    else setTo(day);
    if (day && day >= min && day <= max) setFocused(day);
  }

  return (
    <>
      <div className="range-fields">
        <Field label={texts.from} value={from} onChange={(day) => type("from", day)} />
        <Field label={texts.to} value={to} onChange={(day) => type("to", day)} />
      </div>
      <RangeCalendar
        className="calendar"
        aria-label={texts.label}
        minValue={min}
        maxValue={max}
        value={isInvalid ? null : ({ start: from, end: to } satisfies Range)}
        focusedValue={focused}
        onFocusChange={setFocused}
        onChange={(range: Range) => {
          setFrom(range.start);
          setTo(range.end);
        }}
      >
        <header>
          <AriaButton
            slot="previous"
            className="button bare icon-only"
            aria-label={texts.previousMonth}
          >
            <Icon name="back" />
          </AriaButton>
          <CalendarHeading className="calendar-heading" />
          <AriaButton slot="next" className="button bare icon-only" aria-label={texts.nextMonth}>
            <Icon name="next" />
          </AriaButton>
        </header>
        <CalendarGrid>
          {(date) => <CalendarCell date={date} className="calendar-cell" />}
        </CalendarGrid>
      </RangeCalendar>
      <div className="list-foot">
        <Button
          look="filled"
          isDisabled={isInvalid}
          onPress={() => from && to && onDays({ from: from.toString(), to: to.toString() })}
        >
          {texts.apply}
        </Button>
      </div>
    </>
  );
}

type FieldProps = {
  label: string;
  value: CalendarDate | null;
  onChange: (day: CalendarDate | null) => void;
};

function Field({ label, value, onChange }: FieldProps) {
  return (
    <DateField className="date-field" value={value} onChange={onChange} granularity="day">
      <Label className="small faint">{label}</Label>
      <DateInput className="date-input">{(segment) => <DateSegment segment={segment} />}</DateInput>
    </DateField>
  );
}
