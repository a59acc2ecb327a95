import { useEffect, useMemo, useState } from "react";
import { I18nProvider } from "react-aria/I18nProvider";
import { Provider } from "urql";
import { makeClient } from "../../api/client";
import { onReconnect } from "../../api/live-state";
import { forgetPerson, type Session, signOut } from "../../api/session";
import { type Person, reloadSettings, type Settings } from "../../api/settings";
import { useSession } from "../../api/use-session";
import { useLanguage } from "../../text/language";
import { shell } from "../../text/shell";
import { Boundary } from "../../ui/boundary";
import { LazyContext } from "../../ui/lazy";
import { ErrorState } from "../../ui/states";
import { locale } from "../../util/locale";
import { currentPerson, signInAs } from "./dev";
import { Home } from "./home";
import { SignIn } from "./sign-in";
import "./app.css";

/** The page, or an error if the page throws one. */
export function App({ settings }: { settings: Settings }) {
  const language = useLanguage();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the texts are the language's
  const lazyParts = useMemo(() => ({ texts: shell.lazy, onReconnect }), [language]);
  const { title, hint, retry } = shell.broken;
  const broken = (
    <ErrorState title={title} message={hint} retryLabel={retry} onRetry={() => location.reload()} />
  );
  return (
    <Boundary fallback={broken}>
      <I18nProvider locale={locale}>
        <LazyContext value={lazyParts}>
          <Page settings={settings} />
        </LazyContext>
      </I18nProvider>
    </Boundary>
  );
}

/** The page of the session, or the sign-in. */
function Page({ settings }: { settings: Settings }) {
  const session = useSession();
  const person = settings.dev ? personToSignIn(session, settings.people) : undefined;
  const isExpired = session.state === "signed-out" && session.reason === "expired";
  useEffect(() => {
    if (!person) return;
    if (isExpired) void signInAgain(person.name).catch(forgetPerson);
    else signInAs(person);
  }, [person, isExpired]);

  if (session.state === "signed-in") {
    return <SignedIn key={session.id} settings={settings} session={session} />;
  }
  return person ? null : <SignIn settings={settings} reason={session.reason} />;
}

/** The person of the demo to sign in without a question: at first, and after a token has expired. */
function personToSignIn(session: Session, people: readonly Person[]): Person | undefined {
  if (session.state === "signed-in") return undefined;
  if (session.reason === "new") return currentPerson(people);
  return session.reason === "expired" ? (session.person ?? undefined) : undefined;
}

/** Sign a person of the demo in with a fresh token. */
async function signInAgain(name: string): Promise<void> {
  const person = (await reloadSettings()).people.find((each) => each.name === name);
  if (!person) throw new Error("the gateway no longer knows this person");
  signInAs(person);
}

type Props = { settings: Settings; session: Session & { state: "signed-in" } };

/** The page of one session, with a client of its own: no data of another session is kept. */
function SignedIn({ settings, session }: Props) {
  const [made, setMade] = useState<ReturnType<typeof makeClient> | null>(null);
  useEffect(() => {
    const next = makeClient((accepted) => signOut(accepted ? "expired" : "refused"));
    setMade(next);
    return next.close;
  }, []);
  const presetAccounts = useMemo(() => session.person?.accounts ?? [], [session]);
  if (!made) return null;
  return (
    <Provider value={made.client}>
      <Home settings={settings} name={session.name} presetAccounts={presetAccounts} />
    </Provider>
  );
}
