import { type FormEvent, useId, useState } from "react";
import { useClient } from "urql";
import { failureOf } from "../../api/errors";
import {
  DeleteViewDocument,
  SavedViewsDocument,
  type SavedViewsQuery,
  SaveViewDocument,
} from "../../api/generated/graphql";
import { useLoad } from "../../api/use-load";
import { views as t } from "../../text/views";
import { Button } from "../../ui/button";
import { Sentence } from "../../ui/sentence";
import { Skeleton } from "../../ui/skeleton";
import { Notice } from "../../ui/states";
import { cleanLine } from "../../util/line";
import { messageOf } from "../shared/failure";
import { LoadFailed } from "../shared/load-states";
import { show, useView } from "../shared/navigation";
import "./saved-views.css";
import { sentenceOf, type UserError } from "./user-error";
import { queryOf, viewOf } from "./view-query";

type Props = { account: string; close: () => void };
type Outcome = { userErrors: readonly UserError[] } | null | undefined;

const MAX_NAME = 100;

type Saved = NonNullable<SavedViewsQuery["account"]>["savedViews"][number];

/**
 * The saved views: each opens or is deleted, and the one deleted last comes back on request; and a form
 * that saves the view that is shown.
 */
export default function SavedViews({ account, close }: Props) {
  const client = useClient();
  const view = useView();
  const { data, failure, retry } = useLoad(SavedViewsDocument, { account });
  const [problem, setProblem] = useState<string | null>(null);
  const [deleted, setDeleted] = useState<Saved | null>(null);
  const saved = data?.account?.savedViews;

  /** Run a change, and show why it failed; returns whether it did what it should. */
  async function change(
    run: () => Promise<{ error?: Parameters<typeof failureOf>[0] | undefined; outcome: Outcome }>,
  ): Promise<boolean> {
    const { error, outcome } = await run();
    const [wrong] = outcome?.userErrors ?? [];
    const reason = error ? messageOf(failureOf(error)) : wrong ? sentenceOf(wrong) : null;
    setProblem(reason);
    retry();
    return reason === null;
  }

  const save = (name: string, query: ReturnType<typeof queryOf>) =>
    change(async () => {
      const variables = { account, name, ...query };
      const { data: result, error } = await client
        .mutation(SaveViewDocument, variables)
        .toPromise();
      return { error, outcome: result?.saveView };
    });
  async function remove(saved: Saved): Promise<void> {
    const { id } = saved;
    const done = await change(async () => {
      const { data: result, error } = await client.mutation(DeleteViewDocument, { id }).toPromise();
      return { error, outcome: result?.deleteView };
    });
    setDeleted(done ? saved : null);
  }

  async function restore({ name, query }: Saved): Promise<void> {
    if (await save(name, queryOf({ ...view, ...viewOf(query) }))) setDeleted(null);
  }

  if (failure && !saved) return <LoadFailed failure={failure} retry={retry} />;
  return (
    <div className="saved-views" tabIndex={-1}>
      {!saved && <Skeleton lines={3} wide />}
      {saved?.length === 0 && <p className="list-note">{t.none}</p>}
      <ul>
        {saved?.map((each) => (
          <li key={each.id}>
            <Button
              look="bare"
              onPress={() => {
                show(viewOf(each.query));
                close();
              }}
            >
              <bdi>{each.name}</bdi>
            </Button>
            <Button
              look="bare"
              icon="close"
              iconOnly
              small
              disappears
              onPress={() => void remove(each)}
            >
              <Sentence>{t.remove(each.name)}</Sentence>
            </Button>
          </li>
        ))}
      </ul>
      {deleted && (
        <div className="deleted-view" role="status">
          <Sentence>{t.removed(deleted.name)}</Sentence>
          <Button look="bare" small disappears onPress={() => void restore(deleted)}>
            {t.undo}
          </Button>
        </div>
      )}
      {problem !== null && (
        <Notice tone="bad">
          <Sentence>{problem}</Sentence>
        </Notice>
      )}
      {view.tab === "usage" && view.deployment === null && (
        <SaveForm
          names={saved?.map(({ name }) => name) ?? []}
          save={(name) => save(name, queryOf(view))}
        />
      )}
    </div>
  );
}

type FormProps = { names: readonly string[]; save: (name: string) => Promise<boolean> };

function SaveForm({ names, save }: FormProps) {
  const id = useId();
  const [name, setName] = useState("");
  const [isSaving, setSaving] = useState(false);
  const cleaned = cleanLine(name, MAX_NAME);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!cleaned || isSaving) return;
    setSaving(true);
    if (await save(cleaned)) setName("");
    setSaving(false);
  }

  return (
    <form className="save-view" onSubmit={(event) => void submit(event)}>
      <label htmlFor={id}>{t.name}</label>
      <input
        id={id}
        className="text-input"
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" isDisabled={!cleaned} isPending={isSaving}>
        {names.includes(cleaned) ? t.replace : t.save}
      </Button>
    </form>
  );
}
