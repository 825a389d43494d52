// What the server does by itself and when, and every job it did: waiting, under way, done or failed.

import { useState } from "react";
import { useMay } from "@/api/session";
import { Button } from "@/parts/Button";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Tabs } from "@/parts/Tabs";
import { useUrlState } from "@/url";
import { Jobs } from "./Jobs";
import { NewSchedule } from "./NewSchedule";
import { ScheduleList } from "./ScheduleList";

export default function Schedules() {
  return useMay()("see-jobs") ? <SchedulesScreen /> : <Denied />;
}

function SchedulesScreen() {
  const may = useMay();
  const [tab = "schedules", setTab] = useUrlState("tab", true);
  const [adding, setAdding] = useState(false);
  const add = may("manage-jobs") ? () => setAdding(true) : undefined;
  return (
    <Screen
      title="Schedules"
      lead="Each time of a schedule makes one job, however many servers there are."
      wide
      actions={
        add ? (
          <Button look="primary" icon="plus" onClick={add}>
            Add a schedule
          </Button>
        ) : null
      }
    >
      <Tabs
        label="Schedules and jobs"
        value={tab}
        onChange={(next) => setTab(next === "schedules" ? undefined : next)}
        tabs={[
          { value: "schedules", label: "Schedules", content: <ScheduleList onAdd={add} /> },
          { value: "jobs", label: "Jobs", content: <Jobs /> },
        ]}
      />
      {adding ? <NewSchedule onClose={() => setAdding(false)} /> : null}
    </Screen>
  );
}
