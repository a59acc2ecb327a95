// Messages in place of data: there is none, or it could not be loaded.

import type { ReactNode } from "react";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";
import { Sentence } from "./sentence";
import "./states.css";

type StateProps = { icon: IconName; title: string; children?: ReactNode; action?: ReactNode };

function State({
  icon,
  title,
  children,
  action,
  role,
}: StateProps & { role?: "alert" | "status" }) {
  return (
    <div className="state" role={role}>
      <span className="state-icon">
        <Icon name={icon} size={20} />
      </span>
      <p className="state-title">
        <Sentence>{title}</Sentence>
      </p>
      {children && <p className="faint">{children}</p>}
      {action}
    </div>
  );
}

export function EmptyState({
  title,
  hint,
  action,
}: {
  title: string;
  hint?: string;
  action?: ReactNode;
}) {
  return (
    <State icon="empty" title={title} action={action}>
      {hint && <Sentence>{hint}</Sentence>}
    </State>
  );
}

type ErrorProps = { title: string; message: string; retryLabel: string; onRetry: () => void };

export function ErrorState({ title, message, retryLabel, onRetry }: ErrorProps) {
  return (
    <State
      role="alert"
      icon="alert"
      title={title}
      action={
        <Button icon="retry" disappears onPress={onRetry}>
          {retryLabel}
        </Button>
      }
    >
      <Sentence>{message}</Sentence>
    </State>
  );
}

/** One line above data that could not be refreshed. */
export function Notice({
  tone,
  children,
  action,
}: {
  tone: "warn" | "bad" | "calm";
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={`notice ${tone}`} role="status">
      <Icon name="alert" />
      <span className="notice-text">{children}</span>
      {action}
    </div>
  );
}
