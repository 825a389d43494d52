// A defect in one screen stays in that screen: it says so and offers a way on.

import { Component, type ReactNode } from "react";
import { Button } from "./Button";
import { Failed } from "./states";

/** A new version of the console was installed under a page that is still open: its old files are gone. */
function isStaleBuild(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script failed|error loading dynamically/i.test(error.message);
}

export function ScreenError({ error, reset }: { error: unknown; reset: () => void }) {
  if (isStaleBuild(error)) {
    return (
      <div className="mx-auto flex max-w-xl flex-col items-start gap-3 p-8">
        <h1 className="text-xl font-semibold">Attain was updated</h1>
        <p className="text-ink-2">This page is of the version before. Load it again to go on.</p>
        <Button look="primary" onClick={() => window.location.reload()}>
          Load again
        </Button>
      </div>
    );
  }
  return (
    <div className="mx-auto max-w-3xl p-6">
      <Failed error={error} retry={reset} />
    </div>
  );
}

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    if (this.state.error) return <ScreenError error={this.state.error} reset={() => this.setState({ error: null })} />;
    return this.props.children;
  }
}
