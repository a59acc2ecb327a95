import { type FormEvent, useEffect, useId, useRef, useState } from "react";
import { type SignedOutReason, signIn } from "../../api/session";
import type { Oidc, Settings } from "../../api/settings";
import { shell, signIn as t } from "../../text/shell";
import { Button } from "../../ui/button";
import { Notice } from "../../ui/states";
import { signInAs } from "./dev";
import { LanguageMenu } from "./language-menu";
import { Mark } from "./mark";
import "./sign-in.css";
import { useTitle } from "./use-title";

export function SignIn({ settings, reason }: { settings: Settings; reason: SignedOutReason }) {
  useTitle(settings, t.title);
  const heading = useRef<HTMLHeadingElement>(null);
  // The element that had the focus is gone with the previous page.
  useEffect(() => {
    if (reason !== "new") heading.current?.focus();
  }, [reason]);
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Mark settings={settings} size={40} />
        {settings.platform && <bdi className="sign-in-platform">{settings.platform}</bdi>}
        <h1 ref={heading} tabIndex={-1}>
          {shell.title}
        </h1>
        <p className="faint">{t.lead}</p>
        {reason !== "new" && (
          <Notice tone={reason === "refused" ? "bad" : "calm"}>{t[reason]}</Notice>
        )}
        {settings.oidc && <Provider oidc={settings.oidc} reason={reason} />}
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

/** Sign-in at the provider. The first visit redirects there at once: the person may have a session. */
function Provider({ oidc, reason }: { oidc: Oidc; reason: SignedOutReason }) {
  const [failure, setFailure] = useState<string | null>(null);
  const [leaving, setLeaving] = useState(reason === "new");

  function go() {
    setLeaving(true);
    void import("../../api/open-id").then((openId) => openId.startSignIn(oidc)).catch(failed);
  }

  function failed(error: unknown) {
    setLeaving(false);
    setFailure(error instanceof Error ? error.message : String(error));
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page loads
  useEffect(() => {
    if (reason !== "new") return;
    void import("../../api/open-id")
      .then((openId) => openId.continueSignIn(oidc))
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
        {leaving ? t.leaving : reason === "new" ? t.button : t.again}
      </Button>
    </>
  );
}

/** The characters of keys and tokens. A browser cannot send those outside Latin-1 in a header. */
const SENDABLE = /^[\x21-\x7e]+$/;

function ApiKey() {
  const id = useId();
  const [key, setKey] = useState("");
  const [isInvalid, setInvalid] = useState(false);

  function submit(event: FormEvent) {
    event.preventDefault();
    const trimmed = key.trim();
    if (SENDABLE.test(trimmed)) signIn(trimmed, { name: t.key });
    else setInvalid(trimmed !== "");
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
        aria-invalid={isInvalid}
        value={key}
        onChange={(event) => {
          setKey(event.target.value);
          setInvalid(false);
        }}
      />
      {isInvalid && <Notice tone="bad">{t.keyInvalid}</Notice>}
      <p id={`${id}-hint`} className="faint small">
        {t.keyHint}
      </p>
      <Button type="submit" isDisabled={!key.trim()}>
        {t.keyButton}
      </Button>
    </form>
  );
}
