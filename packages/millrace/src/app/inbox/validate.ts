import type { Inbox } from './inbox.ts'

/** Settings that contradict an inbox. */
export function inboxFaults(
  inbox: Inbox | undefined,
  settings: { readonly offsets?: 'automatic' | 'manual' | undefined; readonly isThreaded: boolean },
  path: string,
): readonly string[] {
  if (inbox === undefined) return []
  if ((inbox as Partial<Inbox>).kind !== 'inbox')
    return [`${path}.inbox: is not what sqlInbox of millrace/postgres or millrace/sqlite returns`]
  const faults: string[] = []
  if (settings.offsets === 'manual')
    faults.push(
      `${path}.offsets: manual contradicts inbox, whose transaction says what is finished`,
    )
  if (settings.isThreaded)
    faults.push(`${path}.runIn: a transaction of the inbox cannot go into a thread`)
  return faults
}
