// DOMPurify with the named exports that Monaco imports from its own, older copy.

import purify from "dompurify";

export default purify;
export const { addHook, removeHook, removeAllHooks, sanitize } = purify;
