import type { Inbox } from './inbox.ts'

/** Settings that contradict an inbox. */
export function inboxFaults(
  inbox: Inbox | undefined,
  settings: { readonly offsets?: 'automatic' | 'manual' },
  path: string,
): readonly string[] {
  if (inbox === undefined) return []
  if ((inbox as Partial<Inbox>).kind !== 'inbox')
    return [`${path}.inbox: is not what sqlInbox of millrace/postgres or millrace/sqlite returns`]
  return settings.offsets === 'manual'
    ? [`${path}.offsets: manual contradicts inbox, whose transaction says what is finished`]
    : []
}
