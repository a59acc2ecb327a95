import { type ReactNode, useState } from "react";
import { shared } from "../../text/shared";
import { type Choice, PickList } from "../../ui/pick-list";
import { RangePicker } from "../../ui/range-picker";
import { Skeleton } from "../../ui/skeleton";
import { formatDate, formatDateRange, formatOffset, timeZones } from "../../util/time";
import { FIRST_DAY, LAST_DAY, PRESETS, type Preset, type Window } from "../../util/window";
import { show } from "./navigation";
import "./window-bar.css";

type Props = {
  window: Window;
  /** The account's own zone: undefined while it loads, null if it could not be loaded. */
  ownZone: string | null | undefined;
  presets?: readonly Preset[];
  /** More controls of the same tab. */
  children?: ReactNode;
};

/** The days and the time zone of every figure of a tab. */
export function WindowBar({ window, ownZone, presets = PRESETS, children }: Props) {
  return (
    <div className="toolbar">
      <RangePicker
        texts={{ ...shared.range, presets: shared.range.presetsLabel }}
        shown={shownDays(window)}
        presets={presets.map((id) => ({ id, label: shared.range.presets[id] }))}
        preset={window.preset === "custom" ? null : window.preset}
        days={window.from && window.to ? { from: window.from, to: window.to } : null}
        limits={{ from: FIRST_DAY, to: LAST_DAY }}
        today={window.today}
        onPreset={(id) => show({ range: id as Preset })}
        onDays={(range) => show({ range })}
      />
      <span className="zone">
        {ownZone === undefined ? (
          <Skeleton wide />
        ) : (
          <ZonePicker zone={window.zone} own={ownZone} />
        )}
      </span>
      {children}
    </div>
  );
}

function shownDays({ preset, from, to }: Window): ReactNode {
  if (!from || !to) return shared.range.presets.all;
  const days = <bdi>{from === to ? formatDate(from) : formatDateRange(from, to)}</bdi>;
  if (preset === "custom") return days;
  return (
    <>
      {shared.range.presets[preset]}, {days}
    </>
  );
}

function ZonePicker({ zone, own }: { zone: string; own: string | null }) {
  const [choices, setChoices] = useState<readonly Choice[]>([]);
  function open() {
    const plain = zoneChoices(own);
    setChoices(plain);
    // If the names do not load, a zone is found by its own name alone.
    const loading = import("./zone-choices");
    loading.then(({ withNames }) => setChoices(withNames(plain))).catch(() => {});
  }
  return (
    <PickList
      label={shared.zone.label}
      shown={
        <bdi>
          {zone.replaceAll("_", " ")} ({formatOffset(zone)})
        </bdi>
      }
      icon="globe"
      look="bare"
      choices={choices}
      onOpen={open}
      selected={[zone]}
      onSelect={([id]) => id && show({ zone: id === own ? null : id })}
      search={{ label: shared.zone.search, none: shared.zone.none, more: shared.more }}
    />
  );
}

/** The account's own zone and UTC are above all others. */
function zoneChoices(own: string | null): Choice[] {
  return [...new Set([own ?? "UTC", "UTC", ...timeZones()])].map((id) => {
    return {
      id,
      label: id.replaceAll("_", " "),
      note: id === own ? shared.zone.own : formatOffset(id),
      ...((id === own || id === "UTC") && { weight: Number.POSITIVE_INFINITY }),
    };
  });
}
