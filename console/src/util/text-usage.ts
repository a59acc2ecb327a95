// The sentences of the Usage tab.

const count = new Intl.NumberFormat();

export const usageText = {
  usage: {
    interval: "By",
    intervals: { DAY: "Day", WEEK: "Week", MONTH: "Month", YEAR: "Year" },
    tooMany: "Too many bars for this range",
    figures: "Totals of this period",
    total: "Total spend",
    average: "Daily average",
    deployments: "Deployments",
    deploymentsPerDay: "Deployments per day",
    none: "—",
    change: { up: "more than before", down: "less than before", same: "as before" },
    before: (value: string) => `${value} before`,
    completeDays: "complete days only",
    comparedWith: (days: number, dates: string) =>
      days === 1
        ? `compared with the previous day, ${dates}`
        : `compared with the previous ${count.format(days)} days, ${dates}`,
    notCompared: "Not enough history to compare",
    chart: "Spend over time",
    spend: "Spend",
    cumulative: "Cumulative spend",
    completeUntil: (time: string) => `complete up to ${time}`,
    empty: "No usage in this period",
    emptyHint: "Choose other days, or start a deployment.",
    breakdown: "Where it went",
    by: "By",
    dimensions: {
      DEPLOYMENT: "Deployment",
      PROVIDER: "Provider",
      GPU_MODEL: "GPU model",
      RESOURCE: "Resource",
    },
    share: "Share",
    sumsTo: "adds up to",
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
      OTHER: "Other",
    },
    today: "in progress",
  },
} as const;
