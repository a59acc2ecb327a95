// A deployment's own page: its facts, and its spend over its life.

import { DeploymentDocument, type DeploymentQuery } from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { usage as t } from "../../text/usage";
import { Button, ButtonLink } from "../../ui/button";
import { Card } from "../../ui/card";
import { type Figure, Figures } from "../../ui/figures";
import { Instant } from "../../ui/instant";
import { Money } from "../../ui/money";
import { Skeleton } from "../../ui/skeleton";
import { EmptyState } from "../../ui/states";
import { formatGibibytes, formatQuantity } from "../../util/number";
import { dateIn } from "../../util/time";
import { useZone } from "../account/account-window";
import { useToday } from "../account/use-today";
import { LoadFailed } from "../shared/load-states";
import { show } from "../shared/navigation";
import { Breakdown } from "./breakdown";
import { Daily } from "./daily";
import { Spend } from "./spend";
import { UsageExport } from "./usage-export";
import type { UsageScope } from "./usage-scope";
import { windowOf } from "./usage-window";

type Deployment = Extract<DeploymentQuery["node"], { __typename: "Deployment" }>;
type Props = { account: string; id: string; urlTemplate: string | null };

export function DeploymentPage({ account, id, urlTemplate }: Props) {
  const { data, failure, retry } = useLoad(DeploymentDocument, { id });
  const node = data?.node;
  return (
    <>
      <div className="row">
        <Button look="bare" icon="back" disappears onPress={() => show({ deployment: null })}>
          {t.allUsage}
        </Button>
      </div>
      {node?.__typename === "Deployment" ? (
        <Loaded account={account} deployment={node} urlTemplate={urlTemplate} />
      ) : failure ? (
        <LoadFailed failure={failure} retry={retry} />
      ) : data ? (
        <EmptyState title={t.noDeployment} hint={t.noDeploymentHint} />
      ) : (
        <Skeleton lines={6} wide />
      )}
    </>
  );
}

type LoadedProps = { account: string; deployment: Deployment; urlTemplate: string | null };

function Loaded({ account, deployment, urlTemplate }: LoadedProps) {
  const zone = useZone();
  const today = useToday(zone);
  const { id, externalId, name, startedAt, closedAt } = deployment;
  const from = dateIn(zone, new Date(startedAt));
  const last = closedAt ? dateIn(zone, new Date(closedAt)) : today;
  const scope: UsageScope = {
    account,
    window: windowOf({ from, to: latest(from, last) }, zone, today),
    filters: { DEPLOYMENT: [id] },
    by: "RESOURCE",
    toggle: null,
  };
  return (
    <>
      <Card
        title={name ?? externalId}
        note={closedAt ? t.closed : t.running}
        actions={
          <>
            {urlTemplate && (
              <ButtonLink
                href={urlTemplate.replaceAll("{externalId}", encodeURIComponent(externalId))}
              >
                {t.openDeployment}
              </ButtonLink>
            )}
            <UsageExport scope={scope} />
          </>
        }
      >
        <Figures label={t.facts} figures={factsOf(deployment, zone)} />
      </Card>
      <Spend scope={scope} withFigures={false} />
      <Breakdown scope={scope} />
      <Daily scope={scope} />
    </>
  );
}

function latest(...days: string[]): string {
  return days.toSorted().at(-1) ?? "";
}

function factsOf(deployment: Deployment, zone: string): Figure[] {
  const { externalId, spend, startedAt, closedAt, project, provider } = deployment;
  const { region, service, gpuModel, resources } = deployment;
  const fact = (label: string, value: string | null) => ({
    label,
    value: value === null ? t.none : <bdi className="fact">{value}</bdi>,
  });
  const amount = (value: string | null) => value && formatQuantity(value);
  return [
    { label: t.total, value: <Money value={spend} /> },
    { label: t.started, value: <Instant value={startedAt} zone={zone} /> },
    ...(closedAt ? [{ label: t.ended, value: <Instant value={closedAt} zone={zone} /> }] : []),
    fact(t.dimensions.PROJECT, project),
    fact(t.dimensions.PROVIDER, provider && (region ? `${provider} · ${region}` : provider)),
    fact(t.dimensions.GPU_MODEL, gpuModel),
    fact(t.service, service),
    fact(t.resourceNames.GPU, amount(resources.gpu)),
    fact(t.resourceNames.CPU, amount(resources.cpu)),
    fact(t.resourceNames.MEMORY, resources.memoryBytes && formatGibibytes(resources.memoryBytes)),
    fact(
      t.resourceNames.STORAGE,
      resources.storageBytes && formatGibibytes(resources.storageBytes),
    ),
    fact(t.externalId, externalId),
  ];
}
