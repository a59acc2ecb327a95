// What a view shows when data could not be loaded or refreshed.

import type { Failure } from "../../api/errors";
import { shared } from "../../text/shared";
import { Button } from "../../ui/button";
import { ErrorState, Notice } from "../../ui/states";
import { messageOf } from "./failure";

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
    <Button small disappears onPress={retry}>
      {shared.retry}
    </Button>
  );
}

/** In place of data that could not be loaded. */
export function LoadFailed({ failure, retry }: { failure: Failure; retry: () => void }) {
  return (
    <ErrorState
      title={shared.errors.title}
      message={messageOf(failure)}
      retryLabel={shared.retry}
      onRetry={retry}
    />
  );
}
