import { useEffect, useMemo, useState } from "react";
import { Provider } from "urql";
import { makeClient } from "../api/client";
import { type Session, signOut } from "../api/session";
import { useSession } from "../api/use-session";
import { askAgain, type Settings } from "../util/settings";
import { personNow, signInAs } from "./dev";
import { Home } from "./home";
import { SignIn } from "./sign-in";
import "./app.css";

/** The page: for whoever is signed in, or to sign in. */
export function App({ settings }: { settings: Settings }) {
  const session = useSession();
  const person = settings.dev ? personNow(settings.people) : undefined;
  const isWaiting = session.state === "signed-out" && session.why !== "left" && !!person;
  useEffect(() => {
    if (!isWaiting || !person || session.state !== "signed-out") return;
    if (session.why === "new") signInAs(person);
    else void renewed(person.name).catch(() => signOut("left"));
  }, [isWaiting, person, session]);

  if (session.state === "signed-in") {
    return <SignedIn key={session.token} settings={settings} session={session} />;
  }
  return isWaiting ? null : <SignIn settings={settings} why={session.why} />;
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
