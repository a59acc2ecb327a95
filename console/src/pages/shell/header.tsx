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
  accounts: Accounts;
};

export function Header({ settings, name, account, accountName, accounts }: Props) {
  return (
    <>
      {settings.dev && <DevBar settings={settings} name={name} />}
      <header className="header">
        <p className="header-title">
          <Mark settings={settings} />
          {settings.platform && <bdi className="header-platform">{settings.platform}</bdi>}
          <span className={settings.platform ? "header-product" : ""}>{shell.title}</span>
        </p>
        <AccountSwitcher account={account} accountName={accountName} accounts={accounts} />
        <div className="header-end">
          {name && !settings.dev && (
            <bdi className="header-name faint small" title={name}>
              {name}
            </bdi>
          )}
          <PlatformLinks settings={settings} />
          <LanguageMenu />
          <ThemeSwitch />
          <Button look="bare" onPress={() => void endSession(settings.oidc)}>
            {shell.signIn.out}
          </Button>
        </div>
      </header>
    </>
  );
}

/** Links to the platform's own pages. */
function PlatformLinks({ settings: { homeUrl, helpUrl } }: { settings: Settings }) {
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

async function endSession(oidc: Oidc | null): Promise<void> {
  // The next person may have no access to this account.
  show({ account: null }, { replace: true });
  signOut("signedOut");
  if (!oidc) return;
  try {
    const { startSignOut } = await import("../../api/open-id");
    await startSignOut();
  } catch {
    // The page is signed out, although the provider cannot be reached.
  }
}

/** A list of more accounts has a search. */
const FEW = 8;

type SwitcherProps = Pick<Props, "account" | "accountName" | "accounts">;

function AccountSwitcher({ account, accountName, accounts }: SwitcherProps) {
  return (
    <div className="account-switcher">
      {account && (
        <PickList
          label={shell.account.label}
          shown={<bdi className="cut">{accountName ?? account}</bdi>}
          choices={accounts.accounts.map(({ id, name, currency }) => ({
            id,
            label: name,
            ...(currency && { note: currency }),
          }))}
          selected={[account]}
          onSelect={([id]) => id && show({ account: id })}
          onOpen={accounts.loadAll}
          {...(accounts.accounts.length > FEW && {
            search: {
              label: shell.account.search,
              none: accounts.loading ? shell.account.loading : shell.account.none,
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
            // The other person may have no access to this account.
            show({ account: null });
            signInAs(person);
          }}
        />
      )}
    </aside>
  );
}
