import { formatDay, formatInstant, formatTime } from "../util/time";

/** An instant in a zone: the day, or the day and the time. */
export function Instant({
  value,
  zone,
  withTime = false,
}: {
  value: string;
  zone: string;
  withTime?: boolean;
}) {
  return (
    <time className="instant" dateTime={value} title={formatInstant(value, zone)}>
      {formatDay(value, zone)}
      {withTime && <span className="sub-line"> {formatTime(value, zone)}</span>}
    </time>
  );
}
