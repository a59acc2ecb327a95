import type { Failure } from "../../api/errors";
import { text } from "../../text/shell";
import { Button } from "../../ui/button";
import { ErrorState, Notice } from "../../ui/states";
import { messageOf } from "./failure";

type Props = { failure: Failure; retry: () => void };

/** Above data that could not be refreshed. */
export function StaleNotice({ retry }: { retry: () => void }) {
  return (
    <Notice tone="warn" action={<RetryButton retry={retry} />}>
      {text.errors.stale}
    </Notice>
  );
}

export function RetryButton({ retry }: { retry: () => void }) {
  return (
    <Button small fleeting onPress={retry}>
      {text.retry}
    </Button>
  );
}

/** In place of data that could not be loaded at all. */
export function LoadFailed({ failure, retry }: Props) {
  return (
    <ErrorState
      title={text.errors.title}
      message={messageOf(failure)}
      retryLabel={text.retry}
      onRetry={retry}
    />
  );
}
