// The English words of the Usage tab.

import { isolated, pluralsOf } from "../../util/locale";
import { formatCount } from "../../util/number";
import { formatUnit } from "../../util/unit";

const plural = pluralsOf("en");

export const usage = {
  interval: "Interval",
  intervals: { DAY: "Day", WEEK: "Week", MONTH: "Month", YEAR: "Year" },
  tooMany: "Too many bars for this range",
  figures: "Totals of this period",
  total: "Total spend",
  average: "Daily average",
  deployments: "Deployments",
  deploymentsPerDay: "Deployments per day",
  none: "—",
  change: { up: "more than before", down: "less than before", same: "change" },
  before: (value: string) => `previously ${value}`,
  completeDays: "complete days only",
  comparedWith: (days: number, dates: string) =>
    plural(days, {
      one: `compared with the previous day, ${isolated(dates)}`,
      other: `compared with the previous ${formatCount(days)} days, ${isolated(dates)}`,
    }),
  notCompared: "Not enough history to compare",
  chart: "Spend over time",
  view: "Amounts",
  views: { spend: "Spend", cumulative: "Cumulative" },
  spend: "Spend",
  cumulative: "Cumulative spend",
  completeUntil: (time: string) => `complete up to ${isolated(time)}`,
  empty: "No usage in this period",
  emptyHint: "Choose another period, or start a deployment.",
  breakdown: "Where it went",
  by: "Group by",
  dimensions: {
    DEPLOYMENT: "Deployment",
    PROVIDER: "Provider",
    GPU_MODEL: "GPU model",
    RESOURCE: "Resource",
  },
  share: "Share",
  sumsTo: "total",
  more: "Show more rows",
  daily: "Day by day",
  date: "Date",
  amount: "Amount",
  resources: "Resources",
  resourceNames: {
    CPU: "CPU",
    MEMORY: "Memory",
    STORAGE: "Storage",
    GPU: "GPU",
    NETWORK: "Network",
    IP: "IP addresses",
    OTHER: "Other resources",
  },
  /** From the meter's name: `gpu-hour`. */
  unit: (unit: string) => formatUnit(unit, (of) => `${of} hours`),
  groups: {
    none: {
      DEPLOYMENT: "No deployment",
      PROVIDER: "Unknown provider",
      GPU_MODEL: "No GPU model",
      RESOURCE: "Unknown resource",
    },
    other: "Other",
  },
  today: "in progress",
};
