import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { type Session, signIn } from "../../api/session";
import type { Oidc, Settings } from "../../api/settings";
import { shell, signIn as t } from "../../text/shell";
import { Button } from "../../ui/button";
import { Notice } from "../../ui/states";
import { signInAs } from "./dev";
import { LanguageMenu } from "./language-menu";
import { Mark } from "./mark";
import "./sign-in.css";
import { useTitle } from "./use-title";

type Why = (Session & { state: "signed-out" })["why"];

export function SignIn({ settings, why }: { settings: Settings; why: Why }) {
  useTitle(settings, t.title);
  const heading = useRef<HTMLHeadingElement>(null);
  // What had the focus is gone with the page that this one replaces.
  useEffect(() => {
    if (why !== "new") heading.current?.focus();
  }, [why]);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Mark settings={settings} size={40} />
        {settings.platform && <bdi className="sign-in-platform">{settings.platform}</bdi>}
        <h1 ref={heading} tabIndex={-1}>
          {shell.title}
        </h1>
        <p className="faint">{t.lead}</p>
        {why !== "new" && <Notice tone={why === "refused" ? "bad" : "calm"}>{t[why]}</Notice>}
        {settings.oidc && <Provider oidc={settings.oidc} why={why} />}
        {settings.people.map((person) => (
          <Button key={person.name} icon="person" onPress={() => signInAs(person)}>
            <bdi>{person.name}</bdi>
          </Button>
        ))}
        {(settings.oidc || settings.people.length > 0) && <p className="faint small or">{t.or}</p>}
        <ApiKey />
        <LanguageMenu />
      </div>
    </main>
  );
}

/** Whoever comes for the first time goes to the provider at once, which may know them already. */
function Provider({ oidc, why }: { oidc: Oidc; why: Why }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [leaving, setLeaving] = useState(why === "new");

  function go() {
    setLeaving(true);
    void import("../../api/open-id").then((openId) => openId.leaveToSignIn(oidc)).catch(failed);
  }

  function failed(error: unknown) {
    setLeaving(false);
    setFailure(error instanceof Error ? error.message : String(error));
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page comes
  useEffect(() => {
    if (why !== "new") return;
    void import("../../api/open-id")
      .then((openId) => openId.arrive(oidc))
      .then(() => setLeaving(false))
      .catch(failed);
  }, []);

  return (
    <>
      {failure && (
        <Notice tone="bad">
          {t.failed}: <bdi>{failure}</bdi>
        </Notice>
      )}
      <Button look="filled" isPending={leaving} onPress={go}>
        {leaving ? t.leaving : why === "new" ? t.button : t.again}
      </Button>
    </>
  );
}

/** What keys and tokens are made of; what is outside Latin-1 a browser does not even send. */
const SENDABLE = /^[\x21-\x7e]+$/;

function ApiKey() {
  const id = useId();
  const [key, setKey] = useState("");
  const [isNone, setNone] = useState(false);

  function submit(event: FormEvent) {
    event.preventDefault();
    const given = key.trim();
    if (SENDABLE.test(given)) signIn(given, { name: t.key });
    else setNone(given !== "");
  }

  return (
    <form className="sign-in-key" onSubmit={submit}>
      <label htmlFor={id}>{t.key}</label>
      <input
        id={id}
        className="text-input"
        type="password"
        autoComplete="off"
        spellCheck="false"
        aria-describedby={`${id}-hint`}
        aria-invalid={isNone}
        value={key}
        onChange={(event) => {
          setKey(event.target.value);
          setNone(false);
        }}
      />
      {isNone && <Notice tone="bad">{t.keyNone}</Notice>}
      <p id={`${id}-hint`} className="faint small">
        {t.keyHint}
      </p>
      <Button type="submit" isDisabled={!key.trim()}>
        {t.keyButton}
      </Button>
    </form>
  );
}
