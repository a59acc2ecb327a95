import { useState } from "react";
import {
  DeploymentNamesDocument,
  UsageValuesDocument,
  type UsageValuesQuery,
} from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { shared } from "../../text/shared";
import { usage as t } from "../../text/usage";
import { Button } from "../../ui/button";
import { type Choice, PickList } from "../../ui/pick-list";
import { Select } from "../../ui/select";
import { formatMoney } from "../../util/money";
import { show } from "../shared/navigation";
import { inputOf, withValues } from "../shared/usage-filter";
import { DIMENSIONS, type Dimension, type Filters } from "../shared/view";
import { idOf, keyOf, nameOf } from "./group-names";
import { type UsageScope, variablesOf } from "./usage-scope";

/** Values of a dimension that are loaded at most; the rest is in "Other". */
const MOST_VALUES = 100;

/** The grouping, the filter, and each of its values with a button that removes it. */
export function FilterBar({ scope }: { scope: UsageScope }) {
  const { filters, by, toggle } = scope;
  const names = useDeploymentNames(filters);
  const values = DIMENSIONS.flatMap((dimension) =>
    (filters[dimension] ?? []).map((value) => ({ dimension, value })),
  );
  return (
    <>
      <span className="row choices">
        <Select
          label={t.by}
          labelled
          value={by}
          options={DIMENSIONS.map((id) => ({ id, label: t.dimensions[id] }))}
          onChange={(next) => show({ by: next as Dimension })}
        />
        <FilterPicker scope={scope} names={names} />
      </span>
      {values.map(({ dimension, value }) => (
        <Button
          key={`${dimension} ${value}`}
          small
          disappears
          trailing="close"
          onPress={() => toggle?.(dimension, value)}
        >
          <span className="hidden">{t.removeFilter} </span>
          {t.dimensions[dimension]}: <bdi>{valueName(dimension, value, names)}</bdi>
        </Button>
      ))}
      {values.length > 1 && (
        <Button look="bare" small disappears onPress={() => show({ filters: {} })}>
          {t.clearFilters}
        </Button>
      )}
    </>
  );
}

type Names = ReadonlyMap<string, string>;

function valueName(by: Dimension, value: string | null, names: Names): string {
  const label = (value !== null && names.get(value)) || value;
  return nameOf({ group: value === null ? "NONE" : "VALUE", key: value, label: label ?? "" }, by);
}

/** The names of the filter's deployments, by id. */
function useDeploymentNames({ DEPLOYMENT: ids = [] }: Filters): Names {
  const known = ids.filter((id) => id !== null);
  const { data } = useLoad(DeploymentNamesDocument, { ids: known }, { pause: known.length === 0 });
  return new Map(
    data?.nodes.flatMap((node) =>
      node && "externalId" in node ? [[node.id, node.name ?? node.externalId]] : [],
    ),
  );
}

type PickerProps = { scope: UsageScope; names: Names };

/** A button that opens the values of a dimension, those with the most spend first. */
function FilterPicker({ scope, names }: PickerProps) {
  const { filters } = scope;
  const [dimension, setDimension] = useState(scope.by);
  const [isOpened, setOpened] = useState(false);
  // All its values, those that the filter leaves out among them.
  const filter = inputOf(withValues(filters, dimension, []));
  const variables = { ...variablesOf(scope), filter, by: dimension };
  const load = useLoad(UsageValuesDocument, variables, { pause: !isOpened });
  const selected = filters[dimension] ?? [];
  const ids = selected.map((key) => idOf({ group: "VALUE", key }));
  const found = load.previous ? [] : choicesOf(load.data, dimension);
  const isCut = !load.previous && rowsOf(load.data).some(({ group }) => group === "OTHER");
  const missing = ids.filter((id) => !found.some((each) => each.id === id));
  const choices = [
    ...found,
    ...missing.map((id) => ({ id, label: valueName(dimension, keyOf(id) ?? null, names) })),
  ];
  const select = (next: string[]) =>
    show({
      filters: withValues(
        filters,
        dimension,
        next.map((id) => keyOf(id) ?? null),
      ),
    });
  return (
    <PickList
      many
      label={t.filter}
      shown={<span aria-hidden="true">{t.filter}</span>}
      icon="filter"
      choices={choices}
      selected={ids}
      onSelect={select}
      onOpen={() => {
        setOpened(true);
        setDimension(scope.by);
      }}
      clear={t.clearFilters}
      search={{
        label: t.searchValues(t.dimensions[dimension]),
        none: load.loading ? t.loading : t.noValues,
        more: shared.more,
        ...(isCut && { note: t.largestOnly(MOST_VALUES) }),
      }}
      above={
        <Select
          label={t.filterBy}
          labelled
          value={dimension}
          options={DIMENSIONS.map((id) => ({ id, label: t.dimensions[id] }))}
          onChange={(next) => setDimension(next as Dimension)}
        />
      }
    />
  );
}

function rowsOf(data: UsageValuesQuery | undefined) {
  return data?.account?.usage.breakdown ?? [];
}

/** The values that the filter can select: "Other" is none, and every charge has a resource. */
function choicesOf(data: UsageValuesQuery | undefined, by: Dimension): Choice[] {
  return rowsOf(data)
    .filter(({ group }) => group === "VALUE" || (group === "NONE" && by !== "RESOURCE"))
    .map((row) => ({ id: idOf(row), label: nameOf(row, by), note: formatMoney(row.spend) }));
}
