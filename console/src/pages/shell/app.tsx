import { useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria/I18nProvider";
import { Provider } from "urql";
import { makeClient } from "../../api/client";
import { onReturn } from "../../api/live-state";
import { forgetPerson, type Session, signOut } from "../../api/session";
import { askAgain, type Person, type Settings } from "../../api/settings";
import { useSession } from "../../api/use-session";
import { useLanguage } from "../../text/language";
import { shell } from "../../text/shell";
import { Boundary } from "../../ui/boundary";
import { LateContext } from "../../ui/late";
import { ErrorState } from "../../ui/states";
import { locale } from "../../util/locale";
import { personNow, signInAs } from "./dev";
import { Home } from "./home";
import { SignIn } from "./sign-in";
import "./app.css";

/** The page, and what stands in its place where it is at fault. */
export function App({ settings }: { settings: Settings }) {
  const language = useLanguage();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the texts are the language's
  const late = useMemo(() => ({ texts: shell.late, onReturn }), [language]);
  const { title, hint, retry } = shell.broken;
  const broken = (
    <ErrorState title={title} message={hint} retryLabel={retry} onRetry={() => location.reload()} />
  );
  return (
    <Boundary instead={broken}>
      <I18nProvider locale={locale}>
        <LateContext value={late}>
          <Page settings={settings} />
        </LateContext>
      </I18nProvider>
    </Boundary>
  );
}

/** For whoever is signed in, or to sign in. */
function Page({ settings }: { settings: Settings }) {
  const session = useSession();
  const person = settings.dev ? toSignIn(session, settings.people) : undefined;
  const isRenewal = session.state === "signed-out" && session.why === "expired";
  useEffect(() => {
    if (!person) return;
    if (isRenewal) void renewed(person.name).catch(forgetPerson);
    else signInAs(person);
  }, [person, isRenewal]);

  if (session.state === "signed-in") {
    return <SignedIn key={session.id} settings={settings} session={session} />;
  }
  return person ? null : <SignIn settings={settings} why={session.why} />;
}

/** Whom of the demo's people to sign in without being asked: the first time, or as a token expires. */
function toSignIn(session: Session, people: readonly Person[]): Person | undefined {
  if (session.state === "signed-in") return undefined;
  if (session.why === "new") return personNow(people);
  return session.why === "expired" ? (session.person ?? undefined) : undefined;
}

/** Sign the same person of the demo in again, with a token that has not expired. */
async function renewed(name: string): Promise<void> {
  const person = (await askAgain()).people.find((each) => each.name === name);
  if (!person) throw new Error("the gateway does not know this person any more");
  signInAs(person);
}

type Props = { settings: Settings; session: Session & { state: "signed-in" } };

/** Another person's page is another page: nothing of the last one's stays. */
function SignedIn({ settings, session }: Props) {
  const [made, setMade] = useState<ReturnType<typeof makeClient> | null>(null);
  useEffect(() => {
    const next = makeClient((accepted) => signOut(accepted ? "expired" : "refused"));
    setMade(next);
    return next.close;
  }, []);
  const told = useMemo(() => session.person?.accounts ?? [], [session]);
  if (!made) return null;
  return (
    <Provider value={made.client}>
      <Home settings={settings} name={session.name} told={told} />
    </Provider>
  );
}
