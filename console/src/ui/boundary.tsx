import { Component, type ReactNode } from "react";

type Props = { children: ReactNode; instead: ReactNode };

/** What is below it, or something else where that throws: never an empty page. */
export class Boundary extends Component<Props, { hasThrown: boolean }> {
  override state = { hasThrown: false };

  static getDerivedStateFromError() {
    return { hasThrown: true };
  }

  override render() {
    return this.state.hasThrown ? this.props.instead : this.props.children;
  }
}
