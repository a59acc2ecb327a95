import type { ReactNode } from "react";
import { PickList } from "../ui/pick-list";
import { RangePicker } from "../ui/range-picker";
import { Skeleton } from "../ui/skeleton";
import { text } from "../util/text";
import { dateIn, formatDate, formatDateRange, formatOffset, timeZones } from "../util/time";
import { FIRST_DAY, LAST_DAY, PRESETS, type Preset, type Window } from "../util/window";
import { show } from "./view";

type Props = {
  window: Window;
  /** The account's own zone, which is the one where no other is chosen. */
  ownZone: string | null;
  presets?: readonly Preset[];
  /** More controls of the same tab. */
  children?: ReactNode;
};

/** The days and the zone that every figure of a tab is of. */
export function WindowBar({ window, ownZone, presets = PRESETS, children }: Props) {
  return (
    <div className="toolbar">
      <RangePicker
        texts={{ ...text.range, presets: text.range.presetsLabel }}
        shown={shownDays(window)}
        presets={presets.map((id) => ({ id, label: text.range.presets[id] }))}
        preset={window.preset === "custom" ? null : window.preset}
        days={window.from && window.to ? { from: window.from, to: window.to } : null}
        limits={{ from: FIRST_DAY, to: LAST_DAY }}
        today={dateIn(window.zone)}
        onPreset={(id) => show({ range: id as Preset })}
        onDays={(range) => show({ range })}
      />
      <span className="zone">
        {ownZone ? <ZonePicker zone={window.zone} own={ownZone} /> : <Skeleton wide />}
      </span>
      {children}
    </div>
  );
}

function shownDays({ preset, from, to }: Window): string {
  if (!from || !to) return text.range.presets.all;
  const days = from === to ? formatDate(from) : formatDateRange(from, to);
  return preset === "custom" ? days : `${text.range.presets[preset]}, ${days}`;
}

function ZonePicker({ zone, own }: { zone: string; own: string }) {
  return (
    <PickList
      label={text.zone.label}
      shown={`${zone.replaceAll("_", " ")} (${formatOffset(zone)})`}
      icon="globe"
      look="bare"
      choices={() =>
        [own, ...timeZones().filter((each) => each !== own)].map((each) => ({
          id: each,
          label: each.replaceAll("_", " "),
          note: each === own ? text.zone.own : formatOffset(each),
        }))
      }
      picked={[zone]}
      onPick={([id]) => id && show({ zone: id === own ? null : id })}
      search={{ label: text.zone.search, none: text.zone.none, more: text.zone.more }}
    />
  );
}
