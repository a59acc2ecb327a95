import type { ReactNode } from "react";
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from "react-aria-components/Tabs";
import "./tabs.css";

type Props<Id extends string> = {
  label: string;
  tabs: readonly { id: Id; title: string; content: ReactNode }[];
  selected: Id;
  onSelect: (id: Id) => void;
  /** Beside the tabs, at the end of their line. */
  end?: ReactNode;
};

export function Tabs<Id extends string>({ label, tabs, selected, onSelect, end }: Props<Id>) {
  return (
    <AriaTabs
      className="tabs"
      selectedKey={selected}
      onSelectionChange={(id) => id !== selected && onSelect(id as Id)}
    >
      <div className="tab-line">
        <TabList className="tab-list" aria-label={label}>
          {tabs.map((tab) => (
            <Tab key={tab.id} id={tab.id} className="tab">
              {tab.title}
            </Tab>
          ))}
        </TabList>
        {end}
      </div>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className="tab-panel">
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
