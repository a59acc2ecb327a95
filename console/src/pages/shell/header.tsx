import { signOut } from "../../api/session";
import type { Oidc, Settings } from "../../api/settings";
import { shared } from "../../text/shared";
import { shell } from "../../text/shell";
import { Button, ButtonLink } from "../../ui/button";
import { PickList } from "../../ui/pick-list";
import { Select } from "../../ui/select";
import { chooseTheme, useTheme } from "../../ui/theme";
import type { Accounts } from "../account/accounts";
import { signInAs } from "./dev";
import "./header.css";
import { show } from "../shared/navigation";
import { LanguageMenu } from "./language-menu";
import { Mark } from "./mark";

type Props = {
  settings: Settings;
  name: string | null;
  account: string | null;
  accountName: string | null;
  known: Accounts;
};

export function Header({ settings, name, account, accountName, known }: Props) {
  return (
    <>
      {settings.dev && <DevBar settings={settings} name={name} />}
      <header className="header">
        <p className="header-title">
          <Mark settings={settings} />
          {settings.platform && <bdi className="header-platform">{settings.platform}</bdi>}
          <span className={settings.platform ? "header-product" : ""}>{shell.title}</span>
        </p>
        <AccountSwitcher account={account} accountName={accountName} known={known} />
        <div className="header-end">
          {name && !settings.dev && (
            <bdi className="header-name faint small" title={name}>
              {name}
            </bdi>
          )}
          <OwnLinks settings={settings} />
          <LanguageMenu />
          <ThemeSwitch />
          <Button look="bare" onPress={() => leave(settings.oidc)}>
            {shell.signIn.out}
          </Button>
        </div>
      </header>
    </>
  );
}

/** Where the platform's own pages are. */
function OwnLinks({ settings: { homeUrl, helpUrl } }: { settings: Settings }) {
  return (
    <>
      {homeUrl && (
        <ButtonLink look="bare" href={homeUrl}>
          {shell.links.home}
        </ButtonLink>
      )}
      {helpUrl && (
        <ButtonLink look="bare" href={helpUrl}>
          {shell.links.help}
        </ButtonLink>
      )}
    </>
  );
}

function leave(oidc: Oidc | null): void {
  // Whoever signs in next may not read this account.
  show({ account: null }, { replace: true });
  signOut("left");
  // The page is signed out by now, whether or not the provider can be reached.
  if (oidc)
    void import("../../api/open-id").then((openId) => openId.leaveToSignOut()).catch(() => {});
}

/** Few accounts are a list, many are searched. */
const FEW = 8;

type SwitcherProps = Pick<Props, "account" | "accountName" | "known">;

function AccountSwitcher({ account, accountName, known }: SwitcherProps) {
  return (
    <div className="account-switcher">
      {account && (
        <PickList
          label={shell.account.label}
          shown={<bdi className="cut">{accountName ?? account}</bdi>}
          choices={known.accounts.map(({ id, name, currency }) => ({
            id,
            label: name,
            ...(currency && { note: currency }),
          }))}
          picked={[account]}
          onPick={([id]) => id && show({ account: id })}
          onOpen={known.readAll}
          {...(known.accounts.length > FEW && {
            search: {
              label: shell.account.search,
              none: known.loading ? shell.account.loading : shell.account.none,
              more: shared.more,
            },
          })}
        />
      )}
    </div>
  );
}

function ThemeSwitch() {
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <Button
      look="bare"
      iconOnly
      icon={theme === "dark" ? "sun" : "moon"}
      onPress={() => chooseTheme(other)}
    >
      {other === "dark" ? shell.theme.toDark : shell.theme.toLight}
    </Button>
  );
}

function DevBar({ settings, name }: { settings: Settings; name: string | null }) {
  const { people } = settings;
  return (
    <aside className="dev-bar" aria-label={shell.dev.note}>
      <span>{shell.dev.note}</span>
      {people.some((each) => each.name === name) && (
        <Select
          label={shell.dev.person}
          labelled
          value={name ?? ""}
          options={people.map((each) => ({ id: each.name, label: each.name }))}
          onChange={(next) => {
            const person = people.find((each) => each.name === next);
            if (!person) return;
            // Another person may not read this account.
            show({ account: null });
            signInAs(person);
          }}
        />
      )}
    </aside>
  );
}
