export { idempotent } from './idempotent.ts'
export type { Inbox } from './inbox.ts'
export { defaultInboxTable, idOf, keepMsOf, pruneRows, type InboxOptions } from './options.ts'
export { inboxFaults } from './validate.ts'
