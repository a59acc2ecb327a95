import {
  Button as AriaButton,
  type ButtonProps,
  type PressEvent,
} from "react-aria-components/Button";
import "./button.css";
import { Icon, type IconName } from "./icon";

export type Look = "outlined" | "filled" | "bare";

type Props = Omit<ButtonProps, "children" | "className"> & {
  look?: Look;
  icon?: IconName;
  trailing?: IconName;
  /** Shows the icon alone; the label is for screen readers. */
  iconOnly?: boolean;
  small?: boolean;
  /** Whether the button disappears when it is pressed: the focus then moves to its card or page. */
  disappears?: boolean;
  children: string | React.ReactNode;
};

export function Button({
  look = "outlined",
  icon,
  trailing,
  iconOnly = false,
  small = false,
  disappears = false,
  onPress,
  children,
  ...rest
}: Props) {
  const shape = `${iconOnly ? " icon-only" : ""}${small ? " small-button" : ""}`;
  function press(event: PressEvent) {
    if (disappears) focusAround(event.target);
    onPress?.(event);
  }

  return (
    <AriaButton {...rest} onPress={press} className={`button ${look}${shape}`}>
      {rest.isPending ? (
        <span className="spinner" aria-hidden="true" />
      ) : (
        icon && <Icon name={icon} />
      )}
      <span className={iconOnly ? "hidden" : "button-label"}>{children}</span>
      {trailing && <Icon name={trailing} />}
    </AriaButton>
  );
}

/** Focus the card or the page around an element, without scrolling. */
function focusAround(element: Element): void {
  element.closest<HTMLElement>("[tabindex='-1']")?.focus({ preventScroll: true });
}

/** A link that looks like a button. */
export function ButtonLink(props: {
  href: string;
  icon?: IconName;
  look?: Look;
  children: string;
}) {
  return (
    <a className={`button ${props.look ?? "outlined"}`} href={props.href}>
      {props.icon && <Icon name={props.icon} />}
      <span className="button-label">{props.children}</span>
    </a>
  );
}
