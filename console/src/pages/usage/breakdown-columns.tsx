import { usage as t } from "../../text/usage";
import { Icon } from "../../ui/icon";
import { Money } from "../../ui/money";
import type { Column } from "../../ui/table";
import { mostDecimals } from "../../util/money";
import { formatCount, formatShare } from "../../util/number";
import { linkTo, show } from "../shared/navigation";
import type { Line } from "./breakdown-lines";
import { keyOf } from "./group-names";
import type { UsageScope } from "./usage-scope";

type Open = (id: string) => void;

export function columnsOf(
  scope: UsageScope,
  lines: readonly Line[],
  total: string,
  open: Open,
): Column<Line>[] {
  const decimals = mostDecimals(lines.map(({ spend }) => spend));
  const columns: (Column<Line> | null)[] = [
    {
      key: "name",
      header: t.dimensions[scope.by],
      cell: (line) => <Name line={line} scope={scope} open={open} />,
    },
    {
      key: "share",
      header: t.share,
      numeric: true,
      cell: ({ share, spend, whole }) =>
        share === null ? t.none : formatShare(spend.amount, whole ?? total),
    },
    {
      key: "spend",
      header: t.spend,
      numeric: true,
      cell: ({ spend }) => <Money value={spend} decimals={decimals} />,
    },
    // Left out where a row is of a single deployment.
    scope.by === "DEPLOYMENT" || scope.toggle === null
      ? null
      : {
          key: "deployments",
          header: t.deployments,
          numeric: true,
          cell: ({ deployments }) => formatCount(deployments),
        },
  ];
  return columns.filter((each) => each !== null);
}

type NameProps = { line: Line; scope: UsageScope; open: Open };

function Name({ line, scope: { filters, toggle }, open }: NameProps) {
  const { id, value, by, name, isValue, isChild, isOpen, share } = line;
  const key = keyOf(value);
  const isChoosable = toggle && key !== undefined && (key !== null || by !== "RESOURCE");
  return (
    <span className={isChild ? "share-cell child" : "share-cell"}>
      <span className="share-line">
        {!isChild && (
          <button
            type="button"
            className="opener"
            aria-expanded={isOpen}
            aria-label={t.parts(name)}
            onClick={() => open(id)}
          >
            <Icon name="next" size={12} />
          </button>
        )}
        {isChoosable ? (
          <button
            type="button"
            className={isValue ? "share-name" : "share-name faint"}
            aria-pressed={filters[by]?.includes(key) ?? false}
            title={t.filterTo(name)}
            onClick={() => toggle(by, key)}
          >
            <bdi>{name}</bdi>
          </button>
        ) : (
          <bdi className={isValue ? "share-name" : "share-name faint"}>{name}</bdi>
        )}
        {by === "DEPLOYMENT" && key && <DeploymentLink id={key} name={name} />}
      </span>
      <span className="share-track" aria-hidden="true">
        {/* Where corrections exceed charges, a share is below 0 or above 1. */}
        <span
          className="share-bar"
          style={{ width: `${Math.min(1, Math.max(0, Number(share ?? 0))) * 100}%` }}
        />
      </span>
    </span>
  );
}

/** A link to a deployment's own page. */
function DeploymentLink({ id, name }: { id: string; name: string }) {
  return (
    <a
      className="deployment-link"
      aria-label={t.detailsOf(name)}
      href={linkTo({ deployment: id })}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        // The link disappears: the focus would be lost.
        event.currentTarget.closest("main")?.focus({ preventScroll: true });
        show({ deployment: id });
      }}
    >
      {t.details}
    </a>
  );
}
