import { useState } from "react";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import { views as t } from "../../text/shell";
import { Button } from "../../ui/button";
import { lazy } from "../../ui/lazy";
import { Skeleton } from "../../ui/skeleton";
import "../../ui/popover.css";

const SavedViews = lazy(() => import("./saved-views"), <Skeleton lines={3} wide />);

/** A button that opens the person's saved views. */
export function ViewsButton({ account }: { account: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <DialogTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button look="bare" trailing="down">
        {t.label}
      </Button>
      <Popover className="popover" placement="bottom end" offset={6}>
        <Dialog className="dialog" aria-label={t.label}>
          <SavedViews account={account} close={() => setOpen(false)} />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
