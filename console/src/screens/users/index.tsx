// Who may sign in.

import { Screen } from "@/parts/Screen";
import { Empty } from "@/parts/states";

export default function Users() {
  return (
    <Screen title="Users">
      <Empty title="Users" next="This screen is not there yet." />
    </Screen>
  );
}
