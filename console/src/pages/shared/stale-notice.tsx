import type { Failure } from "../../api/errors";
import { shared } from "../../text/shared";
import { Button } from "../../ui/button";
import { ErrorState, Notice } from "../../ui/states";
import { messageOf } from "./failure";

type Props = { failure: Failure; retry: () => void };

/** Above data that could not be refreshed. */
export function StaleNotice({ retry }: { retry: () => void }) {
  return (
    <Notice tone="warn" action={<RetryButton retry={retry} />}>
      {shared.errors.stale}
    </Notice>
  );
}

export function RetryButton({ retry }: { retry: () => void }) {
  return (
    <Button small fleeting onPress={retry}>
      {shared.retry}
    </Button>
  );
}

/** In place of data that could not be loaded at all. */
export function LoadFailed({ failure, retry }: Props) {
  return (
    <ErrorState
      title={shared.errors.title}
      message={messageOf(failure)}
      retryLabel={shared.retry}
      onRetry={retry}
    />
  );
}
