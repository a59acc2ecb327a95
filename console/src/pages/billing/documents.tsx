import { Receipts } from "./receipts";
import { Statements } from "./statements";

/** The documents of the account: its monthly statements, its receipts and credit notes. */
export default function Documents() {
  return (
    <>
      <Statements />
      <Receipts />
    </>
  );
}
